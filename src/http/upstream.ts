import type { Context } from 'koa';
import type { Interaction } from './interactions.ts';

/** The way to companies' own identity providers, as the pages of a sign-in use it. */
export interface UpstreamDoor {
  /**
   * Sends the person to their company's provider, where their address leads to one; or shows why that
   * cannot be now. False where they prove themselves here.
   */
  leave(ctx: Context, interaction: Interaction, email: string): Promise<boolean>;
}
