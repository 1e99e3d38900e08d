// A little help for the console. Every page does all it does without it.

// Times are told in the reader's zone: by the server from the next page on, here on this one.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = document.cookie.includes(`ostiary_zone=${encodeURIComponent(zone)}`);
if (!known) {
  const secure = location.protocol === 'https:' ? '; secure' : '';
  const year = 365 * 24 * 3600;
  document.cookie = `ostiary_zone=${encodeURIComponent(zone)}; path=/; max-age=${year}; samesite=lax${secure}`;
  for (const time of document.querySelectorAll('time[data-precision]'))
    time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, {
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      ...(time.dataset.precision === 'moment' && { hour: '2-digit', minute: '2-digit' }),
    }).format(new Date(time.dateTime));
}

// "/" goes to the search of the page.
document.addEventListener('keydown', (event) => {
  const field = document.querySelector('[data-search]');
  const typing = event.target.closest('input, select, textarea, [contenteditable]');
  if (event.key !== '/' || !field || typing || event.ctrlKey || event.metaKey || event.altKey)
    return;
  event.preventDefault();
  field.focus();
  field.select();
});

// What a padlock says is put away by Escape, and comes again when it is pointed at anew.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  for (const tip of document.querySelectorAll('.padlock:is(:hover, :focus-within)')) {
    tip.classList.add('away');
    for (const end of ['mouseleave', 'focusout'])
      tip.addEventListener(end, () => tip.classList.remove('away'), { once: true });
  }
});

// One box ticks all of its list, and says how many are ticked.
function count(list) {
  const boxes = [...list.querySelectorAll('input[name="ids"]')];
  const ticked = boxes.filter((box) => box.checked).length;
  const all = list.querySelector('[data-all]');
  if (all) {
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
  const told = document.querySelector('[data-count]');
  if (told) {
    const sum = ticked + Number(told.dataset.elsewhere);
    told.textContent = told.dataset.count.replace(
      '{n}',
      sum.toLocaleString(document.documentElement.lang),
    );
  }
}
document.addEventListener('change', (event) => {
  const list = event.target.closest('[data-list]');
  if (!list) return;
  if (event.target.matches('[data-all]'))
    for (const box of list.querySelectorAll('input[name="ids"]'))
      box.checked = event.target.checked;
  count(list);
});
for (const list of document.querySelectorAll('[data-list]')) count(list);

// Whoever did something to a row goes on there, once the browser has scrolled to it and let go of
// whatever had the focus. Whoever sent a form that came back goes on at what can be done instead, or
// else at what is wrong with it.
if (location.hash.length > 1)
  addEventListener('load', () => {
    setTimeout(() => {
      const part = document.getElementById(location.hash.slice(1));
      part?.querySelector('a, button, input, select, textarea')?.focus({ preventScroll: true });
    });
  });
else {
  const wrong =
    document.querySelector('main [role="alert"] :is(a, button)') ??
    document.querySelector('main [aria-invalid="true"]');
  // From one page of the console to another: what comes next is what is on it, not the menu again.
  const main = document.querySelector('main');
  const within = document.referrer.startsWith(`${location.origin}/console`);
  if (wrong) wrong.focus();
  else if (within && document.activeElement === document.body) {
    main.tabIndex = -1;
    main.focus({ preventScroll: true });
  }
}
