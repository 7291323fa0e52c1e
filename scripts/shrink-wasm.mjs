#!/usr/bin/env node
// Stands in for wasm-opt: cargo-leptos calls `wasm-opt --shrink FILE -o FILE` (Cargo.toml) on what wasm-bindgen wrote,
// function names included. No pass of binaryen does the two things that help most: functions emptied by name, and alike
// ones put side by side. What counts is the size over the wire: inlining and the like make the file smaller and its
// brotli form larger.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

// Hydration that waits, for lazy routes and `hydrate_lazy`. Sluice has neither, but an `AnyView` points at it for each
// type of view, so that the linker keeps it. Only the functions themselves and their closures: helpers and destructors
// of the same path may be one function with those of `hydrate`, under either's name.
const UNUSED = /\bhydrate_async(::\{\{closure\}\})*::h[0-9a-f]{16}$/;

// What rustc puts behind a name: tells instances of a generic function apart, and says nothing.
const HASH = /::h[0-9a-f]{16}/g;

const [flag, input, o, output, ...rest] = process.argv.slice(2);
if (flag !== "--shrink" || o !== "-o" || !output || rest.length > 0) {
  fail("usage: shrink-wasm.mjs --shrink FILE -o FILE (binaryen's own wasm-opt is node_modules/binaryen/bin/wasm-opt)");
}
const wasm = binaryen.readBinary(readFileSync(input));
emptyUnused(wasm);
wasm.runPasses(["remove-unused-module-elements", "duplicate-function-elimination", "vacuum"]);
const sorted = binaryen.readBinary(withNames(wasm, ranks(wasm)));
sorted.runPasses(["reorder-functions-by-name", "strip-debug", "strip-producers"]);
if (!sorted.validate()) fail(`${input} would not be a valid module any more`);
writeFileSync(output, sorted.emitBinary());

function functions(module) {
  return Array.from({ length: module.getNumFunctions() }, (_, index) => module.getFunctionByIndex(index));
}

function emptyUnused(module) {
  const unused = functions(module).filter((f) => UNUSED.test(binaryen.Function.getName(f)));
  if (unused.length === 0) {
    fail(`no function of ${input} matches ${UNUSED}: see what Leptos calls it now, and whether it is still there`);
  }
  for (const f of unused) binaryen.Function.setBody(f, module.unreachable());
}

// Each function's place when instances of one generic function stand together, by their code: brotli finds more to
// repeat than in the linker's order. A name of its own for each, which sorts as its place does.
function ranks(module) {
  const likeness = functions(module).map((f) => {
    const { name, module: imported, body } = binaryen.getFunctionInfo(f);
    return `${name}\n${imported ? "" : binaryen.emitText(body)}`.replaceAll(HASH, "");
  });
  const order = [...likeness.keys()].sort((a, b) => (likeness[a] < likeness[b] ? -1 : +(likeness[a] > likeness[b])));
  const ranks = [];
  order.forEach((index, rank) => (ranks[index] = String(rank).padStart(8, "0")));
  return ranks;
}

// The module as bytes, with these names for its functions in the section that wasm has for names.
function withNames(module, names) {
  module.runPasses(["strip-debug"]);
  const entries = names.flatMap((name, index) => [...leb128(index), ...sized(Buffer.from(name))]);
  const map = [...leb128(names.length), ...entries];
  const section = [...sized(Buffer.from("name")), 1, ...sized(map)];
  return Buffer.concat([module.emitBinary(), Buffer.from([0, ...sized(section)])]);
}

function sized(bytes) {
  return [...leb128(bytes.length), ...bytes];
}

function leb128(n) {
  return n < 128 ? [n] : [(n & 127) | 128, ...leb128(n >>> 7)];
}

function fail(message) {
  console.error(`shrink-wasm: ${message}`);
  process.exit(1);
}
