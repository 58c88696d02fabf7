// A click anywhere in a row opens what its first link opens.
export function rows(root) {
  for (const row of root.querySelectorAll("tr[data-href]")) {
    row.addEventListener("click", (event) => {
      if (event.target.closest("a, button, input") || getSelection().toString() !== "") return;
      if (event.ctrlKey || event.metaKey) open(row.dataset.href, "_blank", "noopener");
      else location.assign(row.dataset.href);
    });
  }
}
