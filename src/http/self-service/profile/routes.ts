import { Router } from '@koa/router';
import { dataRoutes } from './data.ts';
import { profileDesk, type ProfileDependencies } from './desk.ts';
import { detailsRoutes } from './details.ts';
import { mailLinks } from './mail-links.ts';
import { organizationRoutes } from './organization.ts';
import { securityRoutes } from './security.ts';

/** `/profile`: what a person may see and change about themselves (behaviour.md F25, F26, F35). */
export function profileRoutes(dependencies: ProfileDependencies): Router {
  const desk = profileDesk(dependencies);
  const router = new Router({ prefix: '/profile' });
  router.use(desk.forms.offers);
  for (const part of [mailLinks, detailsRoutes, securityRoutes, organizationRoutes, dataRoutes])
    part(router, desk);
  return router;
}
