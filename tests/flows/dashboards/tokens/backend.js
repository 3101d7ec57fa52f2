// What these dashboards have behind them, beside ../backend.js: listed machine tokens and sites, and what was done with them.
const DAY = 864e5;
const listed = () => kept("tokens", OPTIONS.tokens || []);
const revoke = (id) => { did("revoked", id); keep("tokens", listed().filter((one) => one.id !== id)); };
// What is said of a token's use is another thing at every look.
const looks = kept("looks", 0) + 1;
keep("looks", looks);
const used = (one) => (one.used ? `${looks} minutes ago` : "Never");
const made = (one) => new Date(Date.UTC(2026, 0, 1) + one.day * DAY);
const day = (one) => made(one).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const SURE = "I understand the consequences. Revoke this token.";
const sites = () => OPTIONS.sites || ["shop", "blog"];
