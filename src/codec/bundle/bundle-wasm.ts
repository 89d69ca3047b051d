import { readFileSync } from 'node:fs'
import type { Plugin } from 'esbuild'

/** The part of the API used here: types of Node alone do not have it. */
interface WasmModules {
  new (bytes: Uint8Array): object
  imports(module: object): readonly { readonly module: string }[]
  exports(module: object): readonly { readonly name: string }[]
}

const { Module } = Reflect.get(globalThis, 'WebAssembly') as { readonly Module: WasmModules }

/**
 * Lets a module import WebAssembly as Node does: its exports by name, its imports from modules of those names
 * (https://github.com/WebAssembly/esm-integration). The bytes travel in the bundle.
 */
export const wasmModules: Plugin = {
  name: 'wasm',
  setup(build) {
    build.onLoad({ filter: /\.wasm$/ }, ({ path }) => {
      const bytes = readFileSync(path)
      const module = new Module(bytes)
      const sources = [...new Set(Module.imports(module).map((each) => each.module))]
      const lines = [
        ...sources.map((source, index) => `import * as source${index} from ${JSON.stringify(source)}`),
        `const module = new WebAssembly.Module(Uint8Array.from(atob("${bytes.toString('base64')}"), (c) => c.charCodeAt(0)))`,
        `const imports = { ${sources.map((source, index) => `${JSON.stringify(source)}: source${index}`).join(', ')} }`,
        'const { exports } = new WebAssembly.Instance(module, imports)',
        ...Module.exports(module).map(
          ({ name }, index) =>
            `const export${index} = exports[${JSON.stringify(name)}]; export { export${index} as ${JSON.stringify(name)} }`
        )
      ]
      return { contents: lines.join('\n'), loader: 'js' }
    })
  }
}
