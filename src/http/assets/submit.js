// Carries the answer back to the application. A field named "submit" must not stand in the way.
HTMLFormElement.prototype.submit.call(document.forms[0]);
