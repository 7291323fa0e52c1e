#!/usr/bin/env node
// Stands in for wasm-opt: cargo-leptos calls `wasm-opt --shrink FILE -o FILE` (Cargo.toml) on what wasm-bindgen wrote,
// function names included. Passes given to cargo-leptos run in no certain order, and none empties functions by name.
// What counts is the size over the wire: inlining and the like make the file smaller and its brotli form larger.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

// Hydration that waits, for lazy routes and `hydrate_lazy`. Sluice has neither, but an `AnyView` points at it for each
// type of view, so that the linker keeps it. Only the functions themselves and their closures: helpers and destructors
// of the same path may be one function with those of `hydrate`, under either's name.
const UNUSED = /\bhydrate_async(::\{\{closure\}\})*::h[0-9a-f]{16}$/;

const PASSES = [
  "remove-unused-module-elements",
  "duplicate-function-elimination",
  "vacuum",
  // Likes beside likes: brotli finds more to repeat. Needs the names, hence before they go.
  "reorder-functions-by-name",
  "strip-debug",
  "strip-producers",
];

const [flag, input, o, output, ...rest] = process.argv.slice(2);
if (flag !== "--shrink" || o !== "-o" || !output || rest.length > 0) {
  fail("usage: shrink-wasm.mjs --shrink FILE -o FILE (binaryen's own wasm-opt is node_modules/binaryen/bin/wasm-opt)");
}

const wasm = binaryen.readBinary(readFileSync(input));
const functions = Array.from({ length: wasm.getNumFunctions() }, (_, at) => wasm.getFunctionByIndex(at));
const unused = functions.filter((f) => UNUSED.test(binaryen.Function.getName(f)));
if (unused.length === 0) {
  fail(`no function of ${input} matches ${UNUSED}: see what Leptos calls it now, and whether it is still there`);
}
for (const f of unused) binaryen.Function.setBody(f, wasm.unreachable());

wasm.runPasses(PASSES);
if (!wasm.validate()) fail(`${input} would not be a valid module any more`);
writeFileSync(output, wasm.emitBinary());

function fail(message) {
  console.error(`shrink-wasm: ${message}`);
  process.exit(1);
}
