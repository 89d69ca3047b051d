/**
 * The tags of a printed value. Append only; never renumber, never reuse. The first group is registered with IANA
 * (https://www.iana.org/assignments/cbor-tags); the second is ours, from the first-come range.
 */
export const TAG = {
  date: 1,
  positiveBigint: 2,
  negativeBigint: 3,
  /** Value sharing (http://cbor.schmorp.de/value-sharing): this value is number n, counted from 0 in order of appearance. */
  shared: 28,
  /** The value that carries that number, which may still be under construction: so cycles are written. */
  reference: 29,
  url: 32,
  set: 258,
  map: 259,
  /** RFC 9581: a map of seconds (key 1) and milliseconds (key -3). */
  extendedTime: 1001,
  regexp: 21066,

  /** [base, prototype or undefined, properties, integrity]: a value that is more than its plain form. */
  extended: 47_100,
  /** A text of UTF-16 code units, little-endian bytes, for strings with lone surrogates. */
  utf16: 47_101,
  /** [name of the built-in class]: an empty error, to be extended. */
  error: 47_102,
  /** [message, name, stack] */
  domException: 47_103,
  /** The content is a primitive: its object wrapper. */
  boxed: 47_104,
  /** [0, well-known name], [1, registered key] or [2, identity, description]. */
  symbol: 47_105,
  /** An array with holes, by its length; its elements follow as properties of the extended form around it. */
  sparse: 47_106,
  /** Bytes of an ArrayBuffer, or [bytes, maxByteLength] when resizable. */
  arrayBuffer: 47_107,
  dataView: 47_108,
  buffer: 47_109,
  /** [kind, buffer, byteOffset, length]: a view whose buffer has other views. */
  view: 47_110,
  urlSearchParams: 47_111,
  /** [text]: a Temporal value, [class, ISO text]. */
  temporal: 47_112,

  /** [unit, captured values]: a function of that unit. */
  closure: 47_120,
  /** [identity, function]: a class, whose identity holds within one worker process. */
  identity: 47_121,
  /** [module or '', path…]: something every Node has. */
  builtin: 47_122,
  /** The prototype object of the function inside. */
  prototypeOf: 47_123,
  /** [target, this, arguments]: a bound function. */
  bound: 47_124,
  /** [unit, path…]: something a bundle exports. */
  bundled: 47_125,
  /** The identity number of a function the reader of this value printed itself. */
  original: 47_126,
  /** The content is the value of a variable that several functions share: 28 and 29 say which. */
  cell: 47_128,
  /** [unit, captured values, parent, prototype's parent, prototype's properties, own properties]: a class or a constructor function. */
  constructor: 47_127,
  /**
   * [unit, start, name, shares variables, values] or [unit, start, name, shares variables, values, parent, prototype's
   * parent, prototype's properties, own properties, private statics]: a function written inside a unit, made while a job ran.
   */
  made: 47_129
} as const

/** RFC 8746 typed arrays, little-endian, which is what every machine Node runs on uses. */
export const TYPED_ARRAYS = [
  ['Uint8Array', 64],
  ['Uint8ClampedArray', 68],
  ['Uint16Array', 69],
  ['Uint32Array', 70],
  ['BigUint64Array', 71],
  ['Int8Array', 72],
  ['Int16Array', 77],
  ['Int32Array', 78],
  ['BigInt64Array', 79],
  ['Float16Array', 84],
  ['Float32Array', 85],
  ['Float64Array', 86]
] as const

/** Deepest nesting printed or read: far above what data needs, far below what would overflow the stack. */
export const MAX_DEPTH = 1_000
