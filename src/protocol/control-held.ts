/** Reads the control messages about held runs. */
import { FrameError } from './errors.ts'
import { PEER_ID, readJob, readName, readSetup, RUN_ID } from './field-readers.ts'
import { Fields } from './fields.ts'
import type { ChunkMessage, HeldRunMessage, HeldRunStatus } from './held-messages.ts'
import { MAX_CHUNK_RESULTS, MAX_LISTED_PEERS, MAX_LISTED_RUNS } from './limits.ts'

const PREFIX = /^[0-9a-f]{0,32}$/
const ANSWER = /^(?:open|stored|refused)$/
const STATE = /^(?:waiting|running|finished|failed|cancelled)$/

type Readers = { [T in HeldRunMessage['type']]: (fields: Fields) => Extract<HeldRunMessage, { type: T }> }

export const HELD_READERS: Readers = {
  hold: (fields) => ({
    type: 'hold',
    run: fields.uint('run'),
    id: fields.matching('id', RUN_ID),
    label: readName(fields, 'label'),
    ...readSetup(fields)
  }),
  'hold-end': (fields) => ({ type: 'hold-end', run: fields.uint('run'), jobs: fields.uint('jobs') }),
  held: (fields) => ({
    type: 'held',
    run: fields.uint('run'),
    state: fields.matching('state', ANSWER) as 'open' | 'stored' | 'refused',
    reason: readName(fields, 'reason')
  }),
  'find-runs': (fields) => ({
    type: 'find-runs',
    request: fields.uint('request'),
    prefix: fields.matching('prefix', PREFIX)
  }),
  'found-runs': (fields) => ({
    type: 'found-runs',
    request: fields.uint('request'),
    runs: fields.list('runs', MAX_LISTED_RUNS, (item, where) => readStatus(new Fields(where, item)))
  }),
  follow: (fields) => ({
    type: 'follow',
    run: fields.uint('run'),
    id: fields.matching('id', RUN_ID),
    position: fields.uint('position')
  }),
  followed: (fields) => ({
    type: 'followed',
    run: fields.uint('run'),
    ...(fields.has('status') ? { status: readStatus(fields.fields('status')) } : {})
  }),
  chunk: readChunk,
  taken: (fields) => ({ type: 'taken', run: fields.uint('run'), position: fields.uint('position') })
}

function readStatus(fields: Fields): HeldRunStatus {
  return {
    id: fields.matching('id', RUN_ID),
    label: readName(fields, 'label'),
    from: readName(fields, 'from'),
    state: fields.matching('state', STATE) as HeldRunStatus['state'],
    jobs: fields.uint('jobs'),
    succeeded: fields.uint('succeeded'),
    failed: fields.uint('failed'),
    ageSeconds: fields.uint('ageSeconds'),
    reason: readName(fields, 'reason')
  }
}

function readChunk(fields: Fields): ChunkMessage {
  const places = fields.list('places', MAX_LISTED_PEERS, (item, where) => {
    const place = new Fields(where, item)
    return {
      id: place.matching('id', PEER_ID),
      name: readName(place, 'name'),
      jobs: place.list('jobs', MAX_CHUNK_RESULTS, readJob)
    }
  })
  const results = places.reduce((sum, { jobs }) => sum + jobs.length, 0)
  if (results > MAX_CHUNK_RESULTS) {
    throw new FrameError(`chunk: expected at most ${MAX_CHUNK_RESULTS} results, got ${results}`)
  }
  return { type: 'chunk', run: fields.uint('run'), position: fields.uint('position'), places }
}
