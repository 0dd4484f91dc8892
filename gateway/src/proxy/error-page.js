(() => {
  // What is shown changes in place while it waits, and the page loads once, when somebody answers.
  const { waiting, method } = document.body.dataset;
  const asked = '/.nextbnb/waiting?path=' + encodeURIComponent(location.pathname);
  let pause = 700;
  const load = () => {
    // A form is not sent again: that is for whoever filled it in.
    if (method === 'GET') location.reload();
    else location.replace(location.pathname + location.search);
  };
  const show = (title, main) => {
    document.title = title;
    const shown = document.querySelector('main');
    if (shown.innerHTML === main) return;
    shown.innerHTML = main;
    const lines = shown.querySelector('pre');
    if (lines) lines.scrollTop = lines.scrollHeight;
  };
  const look = async () => {
    try {
      const answer = await fetch(asked, { headers: { accept: 'text/html' }, cache: 'no-store', redirect: 'manual' });
      if (answer.status !== 200) return load();
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (!page.body.dataset.waiting) return load();
      show(page.title, page.querySelector('main').innerHTML);
      pause = 700;
    } catch {
      const gone = 'The gateway does not answer';
      show(gone, `<small>gone</small><h1>${gone}</h1><p>Start it again where it ran; this page will notice.</p>`);
      pause = Math.min(pause * 1.5, 5000);
    }
    setTimeout(look, pause);
  };
  const lines = document.querySelector('pre');
  if (lines) lines.scrollTop = lines.scrollHeight;
  setTimeout(look, Number(waiting) * 1000);
})();
