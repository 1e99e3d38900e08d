import * as oidc from 'openid-client';
import { EgressRefused } from '#platform/egress.ts';
import { UpstreamProblem } from '#identity/federation/assertion.ts';

export function invalid(detail: string): UpstreamProblem {
  return new UpstreamProblem('response_invalid', detail);
}

/** What went wrong, in our words: nothing of a token or a secret goes into a log. */
export function problemOf(error: unknown): UpstreamProblem {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    if (one instanceof UpstreamProblem) return one;
    if (one instanceof EgressRefused)
      return new UpstreamProblem(
        one.code === 'too_large' ? 'response_invalid' : 'upstream_unreachable',
        one.message,
        { cause: error },
      );
    const { code = '' } = one as { code?: string };
    if (unreachable.test(code) || one.name === 'AbortError' || one.name === 'TimeoutError')
      return new UpstreamProblem('upstream_unreachable', `No answer (${code || one.name}).`, {
        cause: error,
      });
  }
  if (error instanceof oidc.ResponseBodyError)
    return new UpstreamProblem(
      error.status >= 500 ? 'upstream_unreachable' : 'upstream_error',
      `It said ${error.error.slice(0, 200)}.`,
    );
  const { message, code = '' } = error as { message?: string; code?: string };
  return new UpstreamProblem('response_invalid', `${message} (${code})`.slice(0, 300), {
    cause: error,
  });
}

/** No connection, no certificate, no answer, or none that a provider in order gives. */
const unreachable =
  /^(E[A-Z]+|ERR_TLS.*|ERR_SSL.*|.*CERT.*|UND_ERR.*|HPE_.*|OAUTH_TIMEOUT|OAUTH_ABORT|OAUTH_RESPONSE_IS_NOT_CONFORM|OAUTH_RESPONSE_IS_NOT_JSON)$/;
