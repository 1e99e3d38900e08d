import type { Middleware } from 'koa';
import compose from 'koa-compose';
import type { Provider } from 'oidc-provider';

const handlers = new WeakMap<Provider, Middleware>();

/** What an engine does with a request, put together once. */
export function handlerOf(provider: Provider): Middleware {
  let handler = handlers.get(provider);
  if (!handler) {
    handler = compose(provider.middleware as never);
    handlers.set(provider, handler);
  }
  return handler;
}
