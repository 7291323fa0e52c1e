#!/usr/bin/env node
// Builds target/site, which the program embeds: the program in the browser (a file that every page needs, and one for
// each lazy page), the style, and the files of public/; each of them plain, as brotli and as gzip.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import zlib from "node:zlib";

const NAME = "sluice"; // what the page asks for: `output_name` in the server's `AppState`
const TARGET = "wasm32-unknown-unknown";
const PROFILE = "wasm-release";

const front = "target/front"; // its own folder: cargo locks a target folder while it builds
const work = join(front, "site");
const split = join(work, "split");
const bound = join(work, "bound");
const site = join(work, "site");
const pkg = join(site, "pkg");

// What counts is the size over the wire. Nothing is inlined: brotli finds a call again and again, but not what was
// made of it.
const SHRINK = [
  "--quiet",
  "-Oz",
  ...["one-caller", "flexible", "always"].map((kind) => `--${kind}-inline-max-function-size=0`),
  "--strip-debug",
  "--strip-producers",
  // What rustc uses, and browsers of the last years have.
  ...["bulk-memory", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"].map(
    (feature) => `--enable-${feature}`,
  ),
];

rmSync(work, { recursive: true, force: true });
for (const folder of [split, bound, pkg]) mkdirSync(folder, { recursive: true });

// As a cdylib alone: beside an rlib cargo leaves link-time optimisation out, without a word. Relocations tell
// wasm-split what needs what; as flags of this crate alone they make nothing else compile again.
run("cargo", "rustc", "--locked", "--package=sluice-app", "--lib", "--features=hydrate", `--profile=${PROFILE}`,
  `--target=${TARGET}`, `--target-dir=${front}`, "--crate-type=cdylib", "--", "-Clink-args=--emit-relocs");
run("wasm-split-cli", "--target=web", `--out-name=${NAME}`, join(front, TARGET, PROFILE, "sluice_app.wasm"), split);
run("wasm-bindgen", "--target=web", "--no-typescript", "--keep-lld-exports", "--no-demangle", `--out-name=${NAME}`,
  `--out-dir=${bound}`, join(split, `${NAME}.wasm`));

// What is left of the split: the other files, and the script that fetches them.
rmSync(join(split, `${NAME}.wasm`));
cpSync(split, bound, { recursive: true });
for (const file of files(bound).filter((file) => file.endsWith(".wasm"))) {
  run("wasm-opt", ...SHRINK, file, "-o", join(pkg, basename(file)));
}
run("esbuild", join(bound, `${NAME}.js`), "--bundle", "--minify", "--format=esm", "--log-level=error",
  `--outfile=${join(pkg, `${NAME}.js`)}`);
run("tailwindcss", "--input", "style/main.css", "--output", join(pkg, `${NAME}.css`), "--minify");
cpSync("public", site, { recursive: true });

files(site).forEach(compress);
rmSync("target/site", { recursive: true, force: true });
renameSync(site, "target/site");
rmSync(work, { recursive: true });

function run(program, ...args) {
  execFileSync(program, args, { stdio: "inherit" });
}

function files(folder) {
  const all = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
  return all.filter((path) => statSync(path).isFile());
}

// Beside each file its smallest forms, so that nobody compresses while a page waits.
function compress(file) {
  const plain = readFileSync(file);
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT, BROTLI_MAX_QUALITY } = zlib.constants;
  const params = { [BROTLI_PARAM_QUALITY]: BROTLI_MAX_QUALITY, [BROTLI_PARAM_SIZE_HINT]: plain.length };
  writeFileSync(`${file}.br`, zlib.brotliCompressSync(plain, { params }));
  writeFileSync(`${file}.gz`, zlib.gzipSync(plain, { level: zlib.constants.Z_BEST_COMPRESSION }));
}
