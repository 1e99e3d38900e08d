/** Who does it. What is recorded with every change. */
export type Actor =
  | { type: 'user'; id: string; email?: string | null }
  | { type: 'api_token'; id: string; name: string }
  | { type: 'scim_token'; id: string; name: string }
  | { type: 'setup_link'; id: string; name: string }
  | { type: 'command_line'; id: string }
  | { type: 'system'; id: string }
  | { type: 'anonymous' };
