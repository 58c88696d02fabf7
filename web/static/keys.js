// Keys: / searches, j and k walk rows, g and a letter goes to a section, ? lists them.
const sections = { d: "/", a: "/accounts", r: "/rates", c: "/cdrs", s: "/suspense", u: "/data", o: "/reservations", f: "/guard", w: "/switches", n: "/radius", i: "/invoices" };
const patience = 1500; // milliseconds between g and its letter

export function keys(root) {
  const help = root.getElementById("keys");
  const button = root.querySelector("[data-help]");
  if (help && button) {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  }
  let went = 0;
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog[open]")) return;
    if (went > Date.now() - patience && event.key in sections) {
      location.assign(sections[event.key]);
      return;
    }
    went = event.key === "g" ? Date.now() : 0;
    if (event.key === "/") focus(root.querySelector("[data-search]"), event);
    else if (event.key === "?" && help) help.showModal();
    else if (event.key === "j" || event.key === "k") walk(root, event.key === "j" ? 1 : -1, event);
  });
}

function focus(field, event) {
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select?.();
}

// walk moves the focus to the first link of the next or the previous row.
function walk(root, step, event) {
  const links = [...root.querySelectorAll("tr[data-href]")].map((row) => row.querySelector("a"));
  if (links.length === 0) return;
  const at = links.findIndex((link) => link.closest("tr").contains(root.activeElement));
  const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1);
  event.preventDefault();
  links[next].focus();
}
