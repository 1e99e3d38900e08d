/**
 * Domains whose addresses anybody can have: no account can own them, and nobody is taken into an
 * account because of one. The large ones of each market, with the names they go by; operators add
 * their own through `addPublicMailDomains`.
 */
const providers = `
  gmail.com googlemail.com
  outlook.com outlook.de outlook.fr outlook.es outlook.it outlook.be outlook.at outlook.dk outlook.ie
  outlook.jp outlook.kr outlook.pt outlook.sa outlook.com.ar outlook.com.au outlook.com.br
  outlook.com.gr outlook.com.tr outlook.com.vn outlook.cz outlook.hu outlook.in outlook.lv outlook.my
  outlook.ph outlook.sg outlook.sk outlook.co.id outlook.co.il outlook.co.th
  hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es hotmail.nl hotmail.be
  hotmail.se hotmail.no hotmail.dk hotmail.fi hotmail.ch hotmail.gr hotmail.ca hotmail.com.ar
  hotmail.com.br hotmail.com.tr hotmail.com.au hotmail.co.jp hotmail.co.nz hotmail.co.th
  live.com live.de live.fr live.nl live.it live.be live.at live.ca live.cl live.cn live.co.uk
  live.com.ar live.com.au live.com.mx live.com.pt live.dk live.ie live.in live.jp live.no live.se
  msn.com windowslive.com passport.com
  yahoo.com yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.ca yahoo.gr yahoo.ie yahoo.in yahoo.no yahoo.pl
  yahoo.ro yahoo.se yahoo.dk yahoo.fi yahoo.nl yahoo.at yahoo.be yahoo.co.id yahoo.co.in yahoo.co.jp
  yahoo.co.kr yahoo.co.nz yahoo.co.th yahoo.co.uk yahoo.co.za yahoo.com.ar yahoo.com.au yahoo.com.br
  yahoo.com.cn yahoo.com.co yahoo.com.hk yahoo.com.mx yahoo.com.my yahoo.com.pe yahoo.com.ph
  yahoo.com.sg yahoo.com.tr yahoo.com.tw yahoo.com.vn ymail.com rocketmail.com myyahoo.com
  icloud.com me.com mac.com
  aol.com aol.de aol.fr aol.it aol.es aol.co.uk aim.com verizon.net
  gmx.de gmx.net gmx.at gmx.ch gmx.com gmx.eu gmx.org gmx.info gmx.us gmx.co.uk gmx.fr gmx.es gmx.it
  web.de email.de mail.de freenet.de t-online.de arcor.de online.de posteo.de mailbox.org
  vodafone.de o2online.de kabelmail.de unitybox.de
  proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.com tuta.io tutamail.com
  hey.com fastmail.com fastmail.fm hushmail.com zoho.com zohomail.com zohomail.eu runbox.com
  mail.com email.com usa.com consultant.com engineer.com post.com europe.com asia.com writeme.com
  orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr club-internet.fr numericable.fr
  libero.it virgilio.it alice.it tin.it tiscali.it tim.it fastwebnet.it inwind.it iol.it email.it
  telefonica.net terra.es movistar.es ono.com
  telenet.be skynet.be proximus.be scarlet.be
  ziggo.nl kpnmail.nl kpnplanet.nl planet.nl home.nl hetnet.nl xs4all.nl upcmail.nl casema.nl chello.nl
  quicknet.nl tele2.nl
  bluewin.ch hispeed.ch sunrise.ch
  chello.at aon.at a1.net liwest.at inode.at
  wp.pl o2.pl onet.pl onet.eu op.pl interia.pl interia.eu poczta.onet.pl poczta.fm gazeta.pl tlen.pl
  vp.pl autograf.pl go2.pl
  seznam.cz email.cz post.cz centrum.cz atlas.cz volny.cz tiscali.cz quick.cz azet.sk zoznam.sk
  centrum.sk pobox.sk
  mynet.com superonline.com ttmail.com turk.net yandex.com.tr mail.com.tr
  yandex.ru yandex.com yandex.by yandex.kz yandex.ua ya.ru mail.ru inbox.ru list.ru bk.ru internet.ru
  rambler.ru lenta.ru ukr.net i.ua meta.ua
  freemail.hu citromail.hu t-email.hu indamail.hu vipmail.hu
  abv.bg mail.bg dir.bg
  btinternet.com btopenworld.com sky.com talktalk.net virginmedia.com ntlworld.com blueyonder.co.uk
  tiscali.co.uk o2.co.uk
  eircom.net
  telia.com spray.se bredband.net comhem.se online.no start.no mail.dk jubii.dk ofir.dk stofanet.dk
  kolumbus.fi luukku.com suomi24.fi elisanet.fi pp.inet.fi
  sapo.pt clix.pt iol.pt mail.telepac.pt
  otenet.gr forthnet.gr hol.gr mail.gr in.gr
  comcast.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com
  netzero.net optonline.net roadrunner.com rr.com windstream.net frontier.com frontiernet.net
  centurylink.net mindspring.com excite.com lycos.com netscape.net
  rogers.com shaw.ca sympatico.ca bell.net videotron.ca telus.net cogeco.ca
  bigpond.com bigpond.net.au optusnet.com.au iinet.net.au tpg.com.au westnet.com.au ozemail.com.au
  xtra.co.nz slingshot.co.nz
  uol.com.br bol.com.br terra.com.br ig.com.br globo.com globomail.com r7.com oi.com.br zipmail.com.br
  prodigy.net.mx infinitum.com.mx
  qq.com foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com tom.com 139.com 189.cn
  aliyun.com 21cn.com
  naver.com daum.net hanmail.net nate.com kakao.com
  docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp nifty.com biglobe.ne.jp ocn.ne.jp so-net.ne.jp
  rediffmail.com indiatimes.com sify.com
  walla.com walla.co.il netvision.net.il 012.net.il bezeqint.net
  mailinator.com guerrillamail.com guerrillamail.net sharklasers.com 10minutemail.com temp-mail.org
  tempmail.com yopmail.com trashmail.com trashmail.de dispostable.com getnada.com maildrop.cc
  throwawaymail.com fakeinbox.com mintemail.com mohmal.com emailondeck.com moakt.com spamgourmet.com
  mytemp.email tempail.com burnermail.io discard.email wegwerfmail.de byom.de einrot.com
  duck.com relay.firefox.com mozmail.com simplelogin.com anonaddy.com anonaddy.me passmail.net
  passinbox.com passfwd.com privaterelay.appleid.com`;

const domains = new Set(providers.split(/\s+/).filter(Boolean));

/** Whether anybody can have an address there. The name is in canonical form. */
export function isPublicMailDomain(name: string): boolean {
  return domains.has(name);
}

/** Names the operator knows of, in canonical form. */
export function addPublicMailDomains(names: readonly string[]): void {
  for (const name of names) domains.add(name);
}
