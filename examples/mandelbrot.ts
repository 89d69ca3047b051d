/**
 * A picture, rendered in tiles on every core of the mesh and put together here: the Mandelbrot set near its seahorse
 * valley, coloured by how fast each point escapes.
 *
 *     dist-node run examples/mandelbrot.ts -- 1200 mandelbrot.png
 */
import { writeFile } from 'node:fs/promises'
import { type Job, job, type JobResult } from 'dist-node'
import { encodePng } from './png.ts'

interface Tile {
  readonly top: number
  readonly rgb: Uint8Array
}

const CENTRE = { x: -0.743643887037158, y: 0.131825904205311 }
const SPAN = 0.0025
const MAX_STEPS = 2_000
const TILE_ROWS = 16

let width = 1200
let file = 'mandelbrot.png'

function escapeSteps(cx: number, cy: number): number {
  let x = 0
  let y = 0
  for (let step = 0; step < MAX_STEPS; step++) {
    const nextX = x * x - y * y + cx
    y = 2 * x * y + cy
    x = nextX
    // The logarithm makes the number of steps smooth, so that colours have no bands.
    const size = x * x + y * y
    if (size > 1e4) return step + 1 - Math.log2(Math.log2(size) / 2)
  }
  return Infinity
}

function colour(steps: number): [number, number, number] {
  if (steps === Infinity) return [8, 10, 22]
  const wave = (shift: number): number =>
    Math.round(127.5 * (1 + Math.cos(0.35 * Math.sqrt(steps) * 3 + shift)))
  return [wave(3.2), wave(3.9), wave(4.6)]
}

function renderTile(size: number, top: number, rows: number): Tile {
  const rgb = new Uint8Array(size * rows * 3)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < size; column++) {
      const cx = CENTRE.x + (column / size - 0.5) * SPAN
      const cy = CENTRE.y + ((top + row) / size - 0.5) * SPAN
      rgb.set(colour(escapeSteps(cx, cy)), (row * size + column) * 3)
    }
  }
  return { top, rgb }
}

/** Called once, before anything else. */
export default function picture([size, target]: string[]): Iterable<Job<Tile>> {
  width = Number(size ?? width)
  file = target ?? file
  return tiles()
}

/** Jobs are functions of their arguments here: `renderTile` is printed once, whatever the number of tiles. */
function* tiles(): Generator<Job<Tile>> {
  for (let top = 0; top < width; top += TILE_ROWS) {
    yield job(renderTile, [width, top, Math.min(TILE_ROWS, width - top)])
  }
}

/** Runs where the command was typed. */
export async function collect(results: AsyncIterable<JobResult<Tile>>): Promise<void> {
  const rgb = new Uint8Array(width * width * 3)
  for await (const { value } of results) rgb.set(value.rgb, value.top * width * 3)
  await writeFile(file, encodePng(width, width, rgb))
  console.log(`${file}: ${width} x ${width} pixels`)
}
