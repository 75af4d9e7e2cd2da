// A page is complete without this module; it only keeps a run that is at work up to date.
for (const place of document.querySelectorAll('[data-live]')) {
  const source = new EventSource(place.dataset.live);
  // The server escapes every name; what arrives is a piece of the page itself.
  source.addEventListener('board', event => { place.innerHTML = event.data; });
  source.addEventListener('end', event => {
    source.close();
    if (event.data === 'ended') location.reload();
    else place.insertAdjacentElement('beforebegin', Object.assign(document.createElement('p'), {
      className: 'problem',
      textContent: event.data === 'abandoned' ? 'No process works on this run. The command that started it, or Retry, continues it.' : event.data,
    }));
  });
}

// What is being computed is looked at again until it is there.
const waiting = document.querySelector('[data-reload]');
if (waiting) setTimeout(() => location.reload(), Number(waiting.dataset.reload));

// A picture that is dropped on the form is the one that is asked about; where the form says so, it is sent at once, wherever it is dropped.
const asking = document.querySelector('[data-drop]');
if (asking) {
  const area = asking.querySelector('.drop');
  const show = over => event => { event.preventDefault(); area.classList.toggle('over', over); };
  const sends = asking.dataset.drop === 'send';
  const target = sends ? document : asking;
  target.addEventListener('dragover', show(true));
  target.addEventListener('dragleave', show(false));
  target.addEventListener('drop', event => {
    show(false)(event);
    if (event.dataTransfer.files.length === 0) return;
    area.querySelector('input').files = event.dataTransfer.files;
    if (sends) asking.requestSubmit();
  });
  asking.addEventListener('submit', () => { asking.querySelector('.primary').disabled = true; });
}
