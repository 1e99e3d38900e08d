// Asks the browser for a passkey, or to make one, and sends its answer as a form. Where the browser
// knows no passkeys the forms stay hidden. The library before this file is @simplewebauthn/browser.
(() => {
  const { browserSupportsWebAuthn, startAuthentication, startRegistration } =
    globalThis.SimpleWebAuthnBrowser;
  if (!browserSupportsWebAuthn()) return;

  for (const box of document.querySelectorAll('[data-passkey]')) {
    const { passkey, options, failed } = box.dataset;
    const form = box.querySelector('form');
    const button = box.querySelector('button');
    box.hidden = false;

    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      button.disabled = true;
      form.querySelector('[role=alert]')?.remove();
      try {
        const answer = await fetch(options, {
          method: 'POST',
          body: new URLSearchParams({ csrf: form.elements.csrf.value }),
        });
        if (!answer.ok) throw new Error(`The server answers ${answer.status}.`);
        const optionsJSON = await answer.json();
        const credential =
          passkey === 'create'
            ? await startRegistration({ optionsJSON })
            : await startAuthentication({ optionsJSON });
        form.elements.credential.value = JSON.stringify(credential);
        HTMLFormElement.prototype.submit.call(form);
      } catch {
        // Called off, timed out, no passkey for this site: the browser has said which.
        const alert = document.createElement('p');
        alert.className = 'error';
        alert.setAttribute('role', 'alert');
        alert.textContent = failed;
        button.before(alert);
        button.disabled = false;
        button.focus();
      }
    });
  }
})();
