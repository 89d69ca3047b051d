// Runs in the worker process, before any job.
import { InspectorSession } from '../../codec/print/inspector-session.ts'

// Taken before any job can change them.
const OBJECT = Object.prototype
const LIST = Array.prototype

/** A session that stays silent once somebody could put words into its mouth: Node writes its messages as JSON. */
class GuardedSession extends InspectorSession {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  override post<Answer>(method: string, parameters: object): Answer {
    if ('toJSON' in OBJECT || 'toJSON' in LIST || 'params' in OBJECT)
      throw new Error('the job changed how objects are written as JSON, so functions it made cannot be sent')
    return super.post(method, parameters)
  }
}

/**
 * V8's inspector of this process, for functions that jobs make and return: nothing else tells what they captured. It is
 * connected before any job is here, and then the right to connect to it is given up for good. A job that had it could do
 * whatever Node's permission model lets internal code do.
 *
 * @returns undefined where Node cannot give up a right: then this process never had it
 */
export function openInspector(): InspectorSession | undefined {
  const { permission } = process
  if (permission === undefined || !permission.has('inspector')) return undefined
  const session = new GuardedSession()
  session.connect()
  permission.drop('inspector')
  return session
}
