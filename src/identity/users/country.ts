const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

/** Codes that name a region but no country of the standard: the Euro zone, Ascension, nowhere. */
const noCountries = new Set('EU EZ UN QO XA XB ZZ AC CP CQ DG EA IC TA'.split(' '));

/** A country as its two capital letters of ISO 3166-1, or null. */
export function canonicalCountry(text: unknown): string | null {
  if (typeof text !== 'string' || !/^[A-Za-z]{2}$/.test(text)) return null;
  const code = text.toUpperCase();
  let country = countries.get(code);
  if (country === undefined) {
    // A code that was withdrawn goes by the name of what came after it: DD is no second Germany.
    const now = names.of(code) !== undefined && new Intl.Locale(`und-${code}`).region === code;
    country = now && !noCountries.has(code) ? code : null;
    countries.set(code, country);
  }
  return country;
}

/** What was asked before: there are 676 pairs of letters, and each question is a long one. */
const countries = new Map<string, string | null>();

/**
 * A country as machines and files write it: two or three letters of ISO 3166-1, or its English name,
 * in any case. Its two letters, or null.
 */
export function anyCountry(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  const said = text.trim().toLowerCase();
  return canonicalCountry(said) ?? byName().get(said) ?? null;
}

let known: Map<string, string> | undefined;

function byName(): Map<string, string> {
  if (known) return known;
  known = new Map();
  for (const pair of threeLetters.split(' '))
    known.set(pair.slice(0, 3).toLowerCase(), pair.slice(3));
  for (const code of new Set(known.values())) {
    const name = names.of(code)!.toLowerCase();
    known.set(name, code);
    known.set(name.replaceAll('&', 'and').replaceAll('’', "'"), code);
  }
  for (const [name, code] of otherNames) known.set(name, code);
  return known;
}

/** What directories write besides the names that Intl knows. */
const otherNames = [
  ['united states of america', 'US'],
  ['great britain', 'GB'],
  ['united kingdom of great britain and northern ireland', 'GB'],
  ['czech republic', 'CZ'],
  ['the netherlands', 'NL'],
  ['turkey', 'TR'],
  ['russian federation', 'RU'],
  ['republic of korea', 'KR'],
  ['korea, republic of', 'KR'],
  ['viet nam', 'VN'],
  ['taiwan, province of china', 'TW'],
  ['hong kong', 'HK'],
  ['macau', 'MO'],
  ['macao', 'MO'],
  ['iran, islamic republic of', 'IR'],
  ["cote d'ivoire", 'CI'],
  ['ivory coast', 'CI'],
  ['macedonia', 'MK'],
  ['moldova, republic of', 'MD'],
  ['venezuela, bolivarian republic of', 'VE'],
  ['bolivia, plurinational state of', 'BO'],
  ['tanzania, united republic of', 'TZ'],
  ['swaziland', 'SZ'],
] as const;

/** ISO 3166-1: three letters, and the two of the same country. */
const threeLetters =
  'ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT ' +
  'AZEAZ BDIBI BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO ' +
  'BRABR BRBBB BRNBN BTNBT BVTBV BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG ' +
  'COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO ' +
  'DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB ' +
  'GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY ' +
  'HKGHK HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT ' +
  'JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY ' +
  'LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH ' +
  'MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA ' +
  'NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE ' +
  'PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA ' +
  'SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR ' +
  'SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO ' +
  'TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG ' +
  'VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW';
