// A small dashboard of edition 2025 that shows one view after the other; a test has some of them otherwise.
const V = { ws: "Widgets", workspaces: ["Jo Example", "Widgets Ltd.", "More Widgets", "Widgets"], site: "writing-widgets", at: "home" };
V.token = "v3Nq8xTbR1mZ-kYw0cLdUe7JgPa_s5HiFo2XtCVnB4QyE";
const log = (what, value = null) => window.report(JSON.stringify([what, value]));
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const $ = (selector) => document.querySelector(selector);
const slug = (s) => s.toLowerCase().replace(/[^a-z0-9]+/g, "-");
const go = async (view) => { V.at = view; await later(120); views[view](); };

// Over all of the page, as most front ends have their dialogues.
const over = (inner, label = "") => {
  const dialogue = document.createElement("div");
  dialogue.innerHTML = `<div role="dialog" aria-modal="true" aria-label="${label}" style="position:fixed;inset:0;background:#fff">${inner}</div>`;
  document.body.append(dialogue);
  return dialogue;
};

const views = {
  shell(inner) {
    $("#root").innerHTML = `<header><a href="/">PANTHEON</a></header><nav aria-label="Main"><a href="#home">Home</a> <a href="#sites">Sites</a></nav><main>${inner}</main>`;
  },
  home() {
    views.shell(`<h1>Workspace Overview</h1><h2>${V.ws}</h2><div style="height:700px"></div><button id="m">Migrate Existing Site</button>`);
    $("#m").onclick = () => go("cms");
  },
  cms() {
    views.shell('<h1>What CMS is your site built with?</h1><label><input type="radio" name="cms" value="Drupal"> Drupal</label> <label><input type="radio" name="cms" value="WordPress"> WordPress</label><button id="c" disabled>Continue</button>');
    document.querySelectorAll("[name=cms]").forEach((radio) => { radio.onchange = () => { V.cms = radio.value; $("#c").disabled = false; }; });
    $("#c").onclick = () => { log("cms", V.cms); go("url"); };
  },
  url() {
    views.shell('<h1>Where is your site?</h1><label for="u">Production site URL</label><input id="u" placeholder="example.com"><div id="said"></div><button id="c">Continue</button>');
    $("#c").onclick = () => { if ($("#u").value) { log("url", $("#u").value); go("create"); } };
  },
  create() {
    const entries = V.workspaces.map((name) => `<option>${name}</option>`).join("");
    views.shell(`<h1>Create your site</h1><form onsubmit="return false"><label for="n">Site name</label><input id="n"><label for="w">Workspace (optional)</label><select id="w"><option value="">Select</option>${entries}</select><p id="said"></p><button id="c">Create Site</button></form>`);
    $("#c").onclick = () => {
      const [name, workspace] = [$("#n").value, $("#w").value];
      if (name) { if (workspace) views.confirm(workspace, () => views.make(name, workspace)); else views.make(name, V.ws); }
    };
  },
  confirm(workspace, yes) {
    const dialogue = over(`<h2>Confirm workspace</h2><p>The site will be created in ${workspace}.</p><button>Cancel</button><button class="yes">Confirm</button>`);
    dialogue.querySelector(".yes").onclick = () => { dialogue.remove(); log("confirmed workspace", workspace); yes(); };
  },
  async make(name, workspace) {
    log("created", [name, workspace]);
    V.site = slug(name);
    await views.creating();
    go("token");
  },
  async creating() {
    views.shell("<p>Creating your site. This can take a few minutes.</p>");
    await later(400);
  },
  token() {
    views.shell('<h1>Create a machine token</h1><button id="g">Generate Machine Token</button>');
    $("#g").onclick = () => { log("token"); go("shown"); };
  },
  shown() {
    views.shell(`<h1>Your machine token</h1><label for="t">Machine Token</label><input id="t" readonly value="${V.token}"><button id="go">Continue to Migration</button>`);
    $("#go").onclick = () => go("migrate");
  },
  panel: () => `<h1>Migrate your site</h1><a target="_blank" href="https://source.example/wp-admin/">Go to wp-admin</a><dl><dt>Pantheon Site Name</dt><dd><code>${V.site}</code></dd></dl><button id="k">Confirm migration progress</button>`,
  migrate() {
    views.shell(views.panel());
    $("#k").onclick = () => { log("confirmed"); views.progress(); };
  },
  progress: () => go("done"),
  done() {
    log("done");
    views.shell(`<h1>${V.site}</h1><p>Dev Test Live</p>`);
  },
};
