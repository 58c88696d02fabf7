// Pages show UTC; the title of an instant says what the clock in this room showed.
export function times(root) {
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  for (const t of root.querySelectorAll("time[datetime]")) {
    const at = new Date(t.dateTime);
    if (!Number.isNaN(at.getTime())) t.title = `${t.dateTime.replace("T", " ").replace("Z", " UTC")} · here: ${local.format(at)}`;
  }
}
