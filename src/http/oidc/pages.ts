import type { KoaContextWithOIDC } from 'oidc-provider';

/** The pages that the engine asks for. */
export interface EnginePages {
  error(ctx: KoaContextWithOIDC, out: EngineError, error: Error): void;
  userCodeInput(ctx: KoaContextWithOIDC, form: string, out?: EngineError, error?: Error): void;
  userCodeConfirm(
    ctx: KoaContextWithOIDC,
    form: string,
    client: unknown,
    deviceInfo: unknown,
    userCode: string,
  ): void;
  deviceDone(ctx: KoaContextWithOIDC): void;
  signOut(ctx: KoaContextWithOIDC, form: string): void;
  signedOut(ctx: KoaContextWithOIDC): void;
}

export interface EngineError {
  error: string;
  error_description?: string | undefined;
}
