import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { newId } from '#platform/ids.ts';

/** A key by which a connection proves itself to its provider (private_key_jwt, RFC 7523). */
export async function newConnectionKey(): Promise<{
  keyId: string;
  value: string;
  publicJwk: Record<string, unknown>;
}> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', {
    modulusLength: 2048,
    extractable: true,
  });
  const keyId = newId();
  return {
    keyId,
    value: await exportPKCS8(privateKey),
    publicJwk: { ...(await exportJWK(publicKey)), kid: keyId, alg: 'RS256', use: 'sig' },
  };
}
