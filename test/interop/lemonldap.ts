import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newOwnKey } from '#platform/saml/own-key.ts';

/** What LemonLDAP::NG needs, from Debian. Its recommended modules too: without them it does not say what is missing. */
const packages = [
  'liblemonldap-ng-portal-perl',
  'lemonldap-ng-fastcgi-server',
  'mini-httpd',
  'liblasso-perl',
  'libplack-perl',
  'libcrypt-openssl-bignum-perl',
  'libcrypt-openssl-rsa-perl',
  'libcrypt-openssl-x509-perl',
  'libconvert-base32-perl',
  'libconvert-pem-perl',
  'libemail-sender-perl',
  'libgd-securityimage-perl',
  'libimage-magick-perl',
  'libglib-perl',
  'libhtml-template-perl',
  'libio-socket-timeout-perl',
  'libio-string-perl',
  'libipc-run-perl',
  'libmime-tools-perl',
  'libnet-ldap-perl',
  'libunicode-string-perl',
  'libstring-random-perl',
  'libxml-simple-perl',
];

/** Installs it where it is not there: Debian or Ubuntu, as root. */
export function installLemonldap(): void {
  if (hasModule('Lemonldap::NG::Portal::Main') && hasModule('Lasso')) return;
  const run = (...args: string[]): void => {
    execFileSync('apt-get', args, {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  };
  run('update', '-q');
  run('install', '-y', '-q', '--no-install-recommends', ...packages);
}

function hasModule(name: string): boolean {
  try {
    execFileSync('perl', [`-M${name}`, '-e', '1'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface RelyingParties {
  oidc: { clientId: string; clientSecret: string; redirectUri: string; signedOutUri: string };
  /** Our SAML metadata. */
  saml: string;
}

export interface Lemonldap {
  url: string;
  issuer: string;
  samlMetadataUrl: string;
  log(): string;
  stop(): void;
}

/** A port that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * LemonLDAP::NG with its demo users (Rose Tyler is `rtyler`, her password the same), as OpenID Connect
 * provider and SAML identity provider, in a folder of its own.
 */
export async function startLemonldap(port: number, parties: RelyingParties): Promise<Lemonldap> {
  const folder = mkdtempSync(join(tmpdir(), 'ostiary-lemonldap-'));
  for (const name of ['conf', 'sessions', 'sessions/lock', 'psessions', 'psessions/lock', 'cache'])
    mkdirSync(join(folder, name), { recursive: true });
  const url = `http://localhost:${port}/`;
  writeFileSync(
    join(folder, 'conf/lmConf-1.json'),
    JSON.stringify(await configuration(folder, url, parties), null, 1),
  );
  writeFileSync(join(folder, 'lemonldap-ng.ini'), ini(folder));
  writeFileSync(join(folder, 'portal.psgi'), psgi);
  const logFile = join(folder, 'log');
  writeFileSync(logFile, '');
  const child = spawn(
    'sh',
    ['-c', `exec plackup -s HTTP::Server::PSGI -o 127.0.0.1 -p ${port} portal.psgi > log 2>&1`],
    {
      cwd: folder,
      env: { ...process.env, LLNG_DEFAULTCONFFILE: join(folder, 'lemonldap-ng.ini') },
    },
  );
  const log = (): string => readFileSync(logFile, 'utf8');
  await answers(child, `${url}saml/metadata`, log);
  return {
    url,
    issuer: url.replace(/\/$/, ''),
    samlMetadataUrl: `${url}saml/metadata`,
    log,
    stop() {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(child: ChildProcess, url: string, log: () => string): Promise<void> {
  for (let wait = 0; wait < 120; wait += 1) {
    if (child.exitCode !== null) break;
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  child.kill();
  throw new Error(`LemonLDAP::NG does not answer:\n${log()}`);
}

const ini = (folder: string): string => `[all]
logLevel = notice
checkTime = 1
[configuration]
type = File
dirName = ${folder}/conf
[portal]
staticPrefix = /static
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en
`;

/** Behind a name that is no domain, cookies are the host's own. */
const psgi = `use Plack::Builder;
use Plack::App::File;
use Lemonldap::NG::Portal::Main;
my $portal = Lemonldap::NG::Portal::Main->run({});
builder {
  enable sub {
    my $app = shift;
    sub {
      my $answer = $app->(@_);
      return $answer unless ref $answer eq 'ARRAY';
      my @headers = @{ $answer->[1] };
      for (my $i = 0; $i < @headers; $i += 2) {
        $headers[$i + 1] =~ s/;\\s*domain=[^;]*//i if lc $headers[$i] eq 'set-cookie';
      }
      $answer->[1] = \\@headers;
      return $answer;
    };
  };
  mount '/static' => Plack::App::File->new(
    root => '/usr/share/lemonldap-ng/portal/htdocs/static')->to_app;
  mount '/' => $portal;
};
`;

async function configuration(
  folder: string,
  portal: string,
  { oidc, saml }: RelyingParties,
): Promise<object> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const signing = await newOwnKey('LemonLDAP', new Date());
  const storage = (name: string) => ({
    Directory: join(folder, name),
    LockDirectory: join(folder, name, 'lock'),
    generateModule: 'Lemonldap::NG::Common::Apache::Session::Generate::SHA256',
  });
  const basic = 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic';
  return {
    cfgNum: 1,
    cfgAuthor: 'test',
    cfgDate: '1',
    cfgVersion: '2.16.1',
    portal,
    domain: 'localhost',
    cookieName: 'lemonldap',
    securedCookie: 0,
    // Over http a browser keeps no cookie of `SameSite=None`, which is its choice otherwise.
    sameSite: 'Lax',
    authentication: 'Demo',
    userDB: 'Same',
    passwordDB: 'Demo',
    registerDB: 'Demo',
    demoExportedVars: { cn: 'cn', mail: 'mail', uid: 'uid' },
    exportedVars: {},
    macros: {
      _whatToTrace: 'lc($_user)',
      first: '(split(/ /, $cn))[0]',
      last: '(split(/ /, $cn))[1]',
      country: '"GB"',
    },
    groups: { time: '$uid eq "rtyler"' },
    whatToTrace: '_whatToTrace',
    globalStorage: 'Apache::Session::File',
    globalStorageOptions: storage('sessions'),
    persistentStorage: 'Apache::Session::File',
    persistentStorageOptions: storage('psessions'),
    localSessionStorage: 'Cache::FileCache',
    localSessionStorageOptions: {
      namespace: 'sessions',
      cache_root: join(folder, 'cache'),
      cache_depth: 3,
      default_expires_in: 600,
      directory_umask: '007',
    },
    locationRules: {},
    exportedHeaders: {},
    captcha_login_enabled: 0,
    captcha_mail_enabled: 0,
    captcha_register_enabled: 0,
    requireToken: 0,
    portalCheckLogins: 0,
    // Not even a sign-in of this very second counts as a new one.
    portalForceAuthnInterval: -1,
    notification: 0,
    loginHistoryEnabled: 0,
    timeout: 7200,
    cspFormAction: '*',

    issuerDBOpenIDConnectActivation: 1,
    oidcServicePrivateKeySig: privateKey,
    oidcServicePublicKeySig: publicKey,
    oidcServiceKeyIdSig: 'one',
    oidcServiceMetaDataIssuer: portal.replace(/\/$/, ''),
    oidcServiceAllowAuthorizationCodeFlow: 1,
    oidcRPMetaDataOptions: {
      ostiary: {
        oidcRPMetaDataOptionsClientID: oidc.clientId,
        oidcRPMetaDataOptionsClientSecret: oidc.clientSecret,
        oidcRPMetaDataOptionsRedirectUris: oidc.redirectUri,
        oidcRPMetaDataOptionsPostLogoutRedirectUris: oidc.signedOutUri,
        oidcRPMetaDataOptionsLogoutBypassConfirm: 1,
        oidcRPMetaDataOptionsIDTokenSignAlg: 'RS256',
        oidcRPMetaDataOptionsBypassConsent: 1,
        oidcRPMetaDataOptionsUserIDAttr: 'uid',
      },
    },
    oidcRPMetaDataExportedVars: {
      ostiary: { email: 'mail', given_name: 'first', family_name: 'last', locale: 'language' },
    },
    oidcRPMetaDataOptionsExtraClaims: { ostiary: { profile: 'given_name family_name' } },

    issuerDBSAMLActivation: 1,
    samlServicePrivateKeySig: signing.privateKey,
    samlServicePublicKeySig: signing.certificate,
    samlServiceUseCertificateInResponse: 1,
    samlServiceSignatureMethod: 'RSA_SHA256',
    samlSPMetaDataXML: { ostiary: { samlSPMetaDataXML: saml } },
    samlSPMetaDataOptions: {
      ostiary: {
        samlSPMetaDataOptionsNameIDFormat: 'persistent',
        samlSPMetaDataOptionsNotOnOrAfterTimeout: 300,
        samlSPMetaDataOptionsSessionNotOnOrAfterTimeout: 3600,
        samlSPMetaDataOptionsSignSSOMessage: 1,
        samlSPMetaDataOptionsCheckSSOMessageSignature: 1,
        samlSPMetaDataOptionsSignSLOMessage: 1,
        samlSPMetaDataOptionsCheckSLOMessageSignature: 1,
        samlSPMetaDataOptionsSignatureMethod: 'RSA_SHA256',
      },
    },
    samlSPMetaDataExportedAttributes: {
      ostiary: {
        mail: `1;mail;${basic};mail`,
        first: `1;givenName;${basic};givenName`,
        last: `1;sn;${basic};sn`,
        country: `1;c;${basic};c`,
        groups: `0;groups;${basic};groups`,
      },
    },
  };
}
