import { BackupError, findSystemCode, messageOf } from '../../errors.ts'
import { type Deadlines, TooSlowError } from '../../http/body.ts'
import { quoteOutside } from '../../text.ts'

/** What it means when a body ends early, and what to do then. */
export type Cut = { readonly code: 'export-truncated' | 'sanity-unavailable'; readonly hint: string }

/** A body that did not come to its end. */
type BrokenBody = {
  readonly url: URL
  readonly deadlines: Deadlines
  /** What was asked for, for the error's words: `the export of the documents`. */
  readonly what: string
  readonly cut: Cut
}

const networkTries = 5

/** What the codes of Node and undici mean, in words; those of certificates are final. */
const networkFacts: Record<string, string> = {
  ENOTFOUND: 'its name is not known (DNS)',
  EAI_AGAIN: 'its name could not be looked up (DNS)',
  ECONNREFUSED: 'it refused the connection',
  ECONNRESET: 'the connection was reset',
  EMFILE: 'the system lets this job open no more connections or files (`ulimit -n`)',
  EPIPE: 'the connection was reset',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'it cannot be reached from this runner',
  ENETUNREACH: 'the network cannot be reached from this runner',
  UND_ERR_CONNECT_TIMEOUT: 'it did not take the connection in time',
  UND_ERR_SOCKET: 'the connection was closed before an answer came',
}
const certificateCode = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_SSL_|EPROTO)/

/** The error for a request that got no answer. */
export function networkError(error: unknown, url: URL, deadlines: Deadlines): BackupError {
  const code = findSystemCode(error) ?? 'unknown'
  if (certificateCode.test(code)) {
    return new BackupError({
      code: 'sanity-unavailable',
      title: 'The connection to Sanity is not secure',
      message: `${url.host} did not show a certificate that this runner trusts (${code}).`,
      hint: 'If the runner sits behind a proxy that has its own certificate, name that certificate in NODE_EXTRA_CA_CERTS. Otherwise check `api-host`.',
      cause: error,
    })
  }
  const proxy = proxyFact(error)
  if (proxy !== undefined) {
    return new BackupError({
      code: 'sanity-unavailable',
      title: 'The proxy does not let the request through',
      message: `The request to ${url.host} goes through a proxy (HTTPS_PROXY or HTTP_PROXY), which ${proxy}.`,
      hint: 'Check the address, user name and password in HTTPS_PROXY, and that the proxy allows this host; or list the host in NO_PROXY.',
      cause: error,
      retry: { tries: networkTries },
    })
  }
  const words =
    code === 'UND_ERR_HEADERS_TIMEOUT'
      ? `it did not answer within ${deadlines.firstByteMs / 1000} s`
      : (networkFacts[code] ?? wordsOf(error))
  const fact = `${strangerIn(error, url)}${words}`
  return new BackupError({
    code: 'sanity-unavailable',
    title: 'Sanity cannot be reached',
    message: `The request to ${url.host} failed: ${fact} (${code}).`,
    hint: 'Check `project-id` and `api-host`, the proxy settings of the runner, and status.sanity.io. If all is well there, run the backup again later.',
    cause: error,
    retry: { tries: networkTries },
  })
}

/** The error for a body that did not come to its end. */
export function streamError(error: unknown, broken: BrokenBody): BackupError {
  const { url, deadlines, what, cut } = broken
  const code = findSystemCode(error) ?? 'unknown'
  if (code === 'UND_ERR_BODY_TIMEOUT') return stalled(error, broken, `sent nothing for ${deadlines.idleMs / 1000} s`)
  if (error instanceof TooSlowError) return stalled(error, broken, `is too slow: ${error.message}`)
  return new BackupError({
    code: cut.code,
    title: 'The stream from Sanity was cut',
    message: `The connection to ${url.host} ended in the middle of ${what}: ${wordsOf(error)} (${code}).`,
    hint: cut.hint,
    cause: error,
    retry: { tries: networkTries, cut: true },
  })
}

/** Each wait for a stalled stream costs minutes: once may be bad luck. */
const stallTries = 2

function stalled(error: unknown, { url, what }: BrokenBody, fact: string): BackupError {
  return new BackupError({
    code: 'sanity-unavailable',
    title: 'The stream from Sanity stalled',
    message: `In the middle of ${what} ${url.host} ${fact}.`,
    hint: 'Run the backup again. If it stalls each time, see status.sanity.io and the proxy settings of the runner.',
    cause: error,
    retry: { tries: stallTries, cut: true },
  })
}

/** Whom the connection was tried to, where that is not the host itself: it is the proxy that fails then. */
function strangerIn(error: unknown, url: URL): string {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  for (let current = error, depth = 0; Error.isError(current) && depth < 5; current = current.cause, depth++) {
    if (!('port' in current) || !('address' in current) || current.port === port) continue
    return `a proxy (HTTPS_PROXY or HTTP_PROXY) is in between, ${quoteOutside(`${current.address}:${current.port}`, 60)}, and `
  }
  return ''
}

/** What a proxy answered to CONNECT; undefined if it was none. undici's lib/dispatcher/proxy-agent.js puts the status into its message. */
function proxyFact(error: unknown): string | undefined {
  for (let current = error, depth = 0; Error.isError(current) && depth < 5; current = current.cause, depth++) {
    const status = /Proxy response \((\d+)\)/.exec(current.message)?.[1]
    if (status === '407') return 'asks for a user name and password (407)'
    if (status !== undefined) return `answered ${status}`
  }
  return undefined
}

function wordsOf(error: unknown): string {
  return quoteOutside(messageOf(error), 200) || 'no reason was given'
}
