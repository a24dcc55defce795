// The style of the page at /docs: one column on a phone, contents beside it on a desk, light and dark as the reader's
// system is.

export const STYLE = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1c2430, #e4e8ee);
  --soft: light-dark(#525d6b, #a3adba);
  --ground: light-dark(#ffffff, #12161c);
  --raised: light-dark(#f4f6f8, #1b212a);
  --line: light-dark(#d8dee5, #313a46);
  --link: light-dark(#0b57a4, #7db8ff);
  --get: light-dark(#0b6b3a, #6fd6a0);
  --write: light-dark(#8a4b00, #f2b366);
  --delete: light-dark(#a1201b, #ff9a94);
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; font: 1rem/1.55 system-ui, sans-serif; color: var(--text); background: var(--ground); }
header, nav, main { padding: 0 1.25rem; }
.brand { font-weight: 650; margin: 1rem 0; }
.version, .limits { color: var(--soft); }
.limits { display: block; font-size: .875rem; }
.limits code { font-size: 1em; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--ground); z-index: 1; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 1rem 0; }
h2 { font-size: 1.45rem; margin: 3rem 0 1rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
h3 a { color: inherit; text-decoration: none; }
h3 a:hover { text-decoration: underline; }
h4 { font-size: .875rem; margin: 1.25rem 0 .4rem; color: var(--soft); }
p { margin: .5rem 0; max-width: 46rem; }
code { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; margin: .4rem 0;
  overflow-x: auto; }
pre code { overflow-wrap: normal; }
.file { margin: 0; color: var(--soft); }
.endpoint { font-size: 1.05rem; }
.method { font-weight: 700; font-size: .875rem; color: var(--write); }
.method.get { color: var(--get); }
.method.delete { color: var(--delete); }
.required { font-size: .75rem; font-weight: 600; color: var(--write); }
.table { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { font-size: .8125rem; color: var(--soft); background: var(--raised); }
tbody th { font-weight: 400; min-width: 9rem; }
tbody th code { white-space: nowrap; }
tbody th .required { display: block; }
td { min-width: 7rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li { margin: .3rem 0; }
nav ul { columns: 2; }
nav ul ul { display: none; padding-left: 1rem; font-size: .9rem; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
main { padding-bottom: 4rem; min-width: 0; }
@media (width >= 64rem) {
  body { display: grid; grid-template: auto 1fr / 19rem minmax(0, 60rem); }
  header { grid-column: 1; }
  nav ul { columns: 1; }
  nav ul ul { display: block; }
  nav { grid-column: 1; grid-row: 2; position: sticky; top: 0; max-height: 100vh; overflow-y: auto; align-self: start; }
  main { grid-column: 2; grid-row: 1 / 3; padding-left: 2rem; }
}
@media print { nav, .skip { display: none; } }
`
