import { type Expression, type Node, parseExpressionAt, type Program } from 'acorn'
import { refuse } from '../errors.ts'

/** How a function's own text has to be wrapped to become an expression. */
export type Form = 'expression' | 'method' | 'getter' | 'setter' | 'class'

const PARSE_OPTIONS = {
  ecmaVersion: 'latest',
  sourceType: 'module',
  allowAwaitOutsideFunction: true,
  ranges: true
} as const

export interface Parsed {
  readonly form: Form
  readonly node: Node
  /** Offset of the text within what was parsed, to be subtracted from positions of nodes. */
  readonly offset: number
  readonly root: Program
}

/** Parses a function's own text, in the form it was written in. */
export function parseFunction(text: string, strict: boolean): Parsed {
  const options = { ...PARSE_OPTIONS, sourceType: strict ? ('module' as const) : ('script' as const) }
  const parse = (prefix: string, suffix: string): Expression | undefined => {
    try {
      return parseExpressionAt(`${prefix}${text}${suffix}`, 0, options)
    } catch {
      return undefined
    }
  }
  const expression = parse('(', '\n)')
  if (expression !== undefined) {
    return {
      form: expression.type === 'ClassExpression' ? 'class' : 'expression',
      node: expression,
      offset: 1,
      root: programOf(expression)
    }
  }
  const object = parse('({', '\n})')
  if (object?.type === 'ObjectExpression' && object.properties[0]?.type === 'Property') {
    const [property] = object.properties
    const form = property.kind === 'init' ? 'method' : property.kind === 'get' ? 'getter' : 'setter'
    return { form, node: property, offset: 2, root: programOf(property.value) }
  }
  return refuseUnparsed(parse, text)
}

function programOf(expression: Expression): Program {
  const { start, end } = expression
  const statement = { type: 'ExpressionStatement', expression, start, end } as const
  return { type: 'Program', body: [statement], sourceType: 'module', start, end }
}

/** Text that means nothing by itself: it belongs to a function or class around it. */
function refuseUnparsed(parse: (prefix: string, suffix: string) => unknown, text: string): never {
  if (parse('({ m() { return (', '\n) } })') !== undefined) {
    const names = text.includes('super') ? 'super' : 'new.target'
    refuse(
      `outer ${names}`,
      `an arrow function that uses the ${names} of the function around it cannot take it along`,
      'put what it needs into a variable outside the arrow function'
    )
  }
  const uses = /#[\p{ID_Start}$_]/u.test(text)
  if (uses) {
    refuse(
      'private method',
      'a method that uses private members (#name) exists only with its class',
      'send the class, or an instance of it, instead of the method alone'
    )
  }
  return refuse('unknown syntax', 'its text cannot be parsed as JavaScript', 'write it in standard syntax')
}
