// Of the static atlas: shows the cards that hold what is typed. Without scripts all are shown.
const filter = document.getElementById('filter');
if (filter) {
  filter.hidden = false;
  const cards = [...document.querySelectorAll('[data-text]')];
  const search = filter.querySelector('input');
  const show = () => {
    const text = search.value.trim().toLowerCase();
    for (const card of cards) card.hidden = !card.dataset.text.includes(text);
    filter.querySelector('.count').textContent = `${cards.filter(card => !card.hidden).length} features`;
  };
  search.addEventListener('input', show);
  show();
}
