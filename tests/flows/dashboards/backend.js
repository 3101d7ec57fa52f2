// What every one of these dashboards has behind it: accounts, workspaces, sites and tokens, and what was done with them.
const kept = (key, otherwise) => JSON.parse(localStorage.getItem(key) ?? JSON.stringify(otherwise));
const keep = (key, value) => localStorage.setItem(key, JSON.stringify(value));
const did = (what, value = null) => keep("did", [...kept("did", []), [what, value]]);
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const text = (s) => String(s).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const slug = (s) => s.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

// Names that are in each other's way: prefixes, and words that the guide prints in bold.
const WORKSPACES = ["Jo Example", "Widgets Ltd.", "Continue Ltd.", "Create Site Agency", "More Widgets", "Widgets", "WordPress Wizards"];
const SITES = ["WordPress", OPTIONS.site || "shop", "blog"];
const workspaceId = (name) => `0f6c-${slug(name)}`;
const workspaceOf = (id) => WORKSPACES.find((name) => workspaceId(name) === id);

const signedIn = () => kept("session", false);
const signIn = (manner, why = "") => {
  const back = location.pathname + location.search;
  location.replace(`https://login.example/u/login/identifier?manner=${manner}&why=${why}&back=${encodeURIComponent(back)}`);
};
// True when this address only brings somebody back from the sign-in.
const comesBack = () => {
  const query = new URLSearchParams(location.search);
  if (location.pathname !== "/callback") return false;
  keep("session", true);
  did(query.get("why") || "signed in", query.get("email"));
  if (query.get("why")) keep("sure", true);
  location.replace(query.get("back") || "/");
  return true;
};
const createSite = (name, workspace) => {
  const shown = slug(name) + (OPTIONS.suffix || "");
  did("created", { name, shown, workspace, url: kept("wizard", {}).url, cms: kept("wizard", {}).cms });
  keep("wizard", { ...kept("wizard", {}), site: shown, workspace });
  return shown;
};
const makeToken = () => {
  const n = kept("did", []).filter(([what]) => what === "token").length;
  const token = `Zk3_vQ8-${n}TnW4yLr7BxHs2Fd9GpMc6JaEu1KqRiYoVt5N`;
  did("token", token);
  return token;
};
const confirmed = () => did("confirmed", kept("wizard", {}).site);
