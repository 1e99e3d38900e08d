import { inflateRawSync } from 'node:zlib';
import { idpEntityId } from '../support/saml-connection.ts';
import { base64, honest, keyOf, samlResponse } from '../support/saml-idp.ts';
import { authorizePath, pathOf, unexpected } from './authorize.ts';
import type { Flow } from './flows.ts';
import { locationOf, Wire, type Browser } from './wire.ts';

/**
 * Sign-ins that end with a document that is refused: it is not from whom it says. How much else it wants
 * is what is measured, on those who ask something else meanwhile.
 */

type Document = (about: { acs: string; request: string }) => string;

/** Where what only the sign-in knows is put; none of it is signed. */
const [acsHere, requestHere] = ['https://acs.example', '_request'];

/** As real providers send them, signed by a key that nobody believes. */
async function signedByAnother(attributes?: Record<string, readonly string[]>): Promise<Document> {
  const said = honest({
    idp: idpEntityId,
    sp: 'https://sp.example',
    acs: acsHere,
    inResponseTo: requestHere,
  });
  const xml = await samlResponse(
    { ...said, ...(attributes && { attributes }) },
    { key: await keyOf('nobody believes this one') },
  );
  const response = xml.slice(0, xml.indexOf('<saml:Assertion'));
  const rest = xml.slice(response.length);
  return ({ acs, request }) => response.replace(acsHere, acs).replace(requestHere, request) + rest;
}

/** 84 KB, and as many elements as a document may have. */
const manyAttributes = Object.fromEntries(
  Array.from({ length: 730 }, (_, n) => [`group${n}`, ['a group with a longer name']]),
);

const documents: Record<string, () => Promise<Document>> = {
  small: () => signedByAnother(),
  /** 84 KB (security.md D-18): more elements than a parser sees. */
  siblings: () =>
    Promise.resolve(() => `<samlp:Response>${'<b/>x'.repeat(16_000)}</samlp:Response>`),
  attributes: () => signedByAnother(manyAttributes),
};

const made: Record<string, Promise<Document>> = {};
let addresses = 0;

/** A form as a provider's page sends it: from another site, so that no cookies come along. */
class Sender {
  #wire: Wire | undefined;
  #sent = 0;

  post(port: number, host: string, path: string, form: Record<string, string>) {
    // Sixty a minute are read for one address: who means harm has more than one.
    if (this.#sent % 50 === 0) {
      this.#wire?.close();
      addresses += 1;
      this.#wire = new Wire(port, `127.1.${Math.floor(addresses / 250)}.${1 + (addresses % 250)}`);
    }
    this.#sent += 1;
    const body = new URLSearchParams(form).toString();
    return this.#wire!.send(
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  }
}

function refused(name: string): Flow {
  return {
    requests: 4,
    async prepare(browser, place, index) {
      const { email } = place.saml![index % place.saml!.length]!;
      const document = await (made[name] ??= documents[name]!());
      const sender = new Sender();
      return async () => {
        browser.forget(/^$/);
        const asked = await leave(browser, authorizePath(place, { login_hint: email }));
        const answer = await sender.post(place.ports[0]!, place.host, pathOf(asked.acs), {
          SAMLResponse: base64(document(asked)),
          RelayState: asked.relayState,
        });
        if (answer.status !== 403) unexpected('Being refused', answer);
      };
    },
  };
}

/** Goes to the provider, and reads what it is asked. */
async function leave(
  browser: Browser,
  path: string,
): Promise<{ acs: string; request: string; relayState: string }> {
  let answer = await browser.get(path);
  for (let step = 0; step < 6; step += 1) {
    const location = locationOf(answer) ?? unexpected('Going to the provider', answer);
    const asked = /[?&]SAMLRequest=([^&]+)/.exec(location)?.[1];
    if (asked === undefined) {
      answer = await browser.get(pathOf(location));
      continue;
    }
    const request = inflateRawSync(Buffer.from(decodeURIComponent(asked), 'base64')).toString();
    return {
      acs: / AssertionConsumerServiceURL="([^"]*)"/.exec(request)![1]!,
      request: / ID="([^"]*)"/.exec(request)![1]!,
      relayState: new URL(location).searchParams.get('RelayState')!,
    };
  }
  return unexpected('Going to the provider', answer);
}

export const samlFlows: Record<string, Flow> = Object.fromEntries(
  Object.keys(documents).map((name) => [`saml_${name}`, refused(name)]),
);
