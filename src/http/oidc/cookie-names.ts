/** Sessions, cookies and paths that both the engine and our own pages know. */
export function cookieNames(issuer: string): {
  session: string;
  interaction: string;
  resume: string;
} {
  // `__Host-` needs https, and a path of `/`, which an interaction's cookie must not have.
  const secure = issuer.startsWith('https:');
  return {
    session: secure ? '__Host-ostiary_session' : 'ostiary_session',
    interaction: secure ? '__Secure-ostiary_sign_in' : 'ostiary_sign_in',
    resume: secure ? '__Secure-ostiary_resume' : 'ostiary_resume',
  };
}
