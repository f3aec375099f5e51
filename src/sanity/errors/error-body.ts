/** What an error body holds, whatever its shape. Every field is a string, empty if it is not there. */
export type ErrorBody = {
  readonly error: string
  readonly message: string
  readonly errorCode: string
  readonly type: string
  readonly attributeType: string
  /** All of the words, for looking up phrases; empty if the body is no JSON object: then a proxy wrote it and not Sanity. */
  readonly text: string
}

/** Reads an error body: JSON of any shape, HTML, or plain text. */
export function readErrorBody(body: Buffer): ErrorBody {
  const text = body.toString('utf8').trim()
  const json = parseObject(text)
  if (!json) {
    const words = /^\s*</.test(text)
      ? text
          .slice(0, 16_384)
          .replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ')
          .replace(/<[^<>]*>/g, ' ')
      : text
    return { error: '', message: words.replace(/\s+/g, ' ').trim(), errorCode: '', type: '', attributeType: '', text: '' }
  }
  const inner = asObject(json['error'])
  const error = stringIn(json, 'error')
  const message = stringIn(json, 'message') || (inner && (stringIn(inner, 'description') || stringIn(inner, 'message'))) || ''
  return {
    error,
    message,
    errorCode: stringIn(json, 'errorCode') || (inner ? stringIn(inner, 'errorCode') : ''),
    type: (inner && stringIn(inner, 'type')) || '',
    attributeType: stringIn(asObject(json['attributes']) ?? {}, 'type'),
    text: `${error} ${message}`,
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return undefined
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}

function stringIn(object: Record<string, unknown>, key: string): string {
  const value = object[key]
  return typeof value === 'string' ? value : ''
}
