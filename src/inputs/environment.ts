import { BackupError } from '../errors.ts'
import { type Env, proxyVariables } from './variables.ts'

/** For these words in NODE_DEBUG, Node logs requests with all their headers: nodejs.org/api/cli.html#node_debugmodule. */
const leakyDebugWords = /^(\*|.*\*.*|https?2?|net|tls|stream|undici|fetch|websocket|quic|tcp)$/i

/**
 * Throws `input-invalid` for an environment in which no run is safe: certificates that are not checked, debugging that prints the token, a proxy
 * that is no URL.
 */
export function checkEnvironment(env: Env): void {
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    throw unsafe(
      'NODE_TLS_REJECT_UNAUTHORIZED=0 switches the check of certificates off, so the token could go to anybody.',
      'Remove NODE_TLS_REJECT_UNAUTHORIZED from `env:`. For a proxy with a certificate of its own, name that certificate in NODE_EXTRA_CA_CERTS.',
    )
  }
  const words = (env['NODE_DEBUG'] ?? '').split(',').map((word) => word.trim())
  if (words.some((word) => leakyDebugWords.test(word))) {
    throw unsafe(
      'NODE_DEBUG makes Node print requests with their headers, and so the token, into the log.',
      'Remove NODE_DEBUG from `env:`. For more words from this action set RUNNER_DEBUG: 1, or run the job again with debug logging.',
    )
  }
  const proxy = proxyVariables.find((name) => env[name] && !/^https?:$/.test(URL.parse(env[name] ?? '')?.protocol ?? ''))
  const undecodable = proxyVariables.find((name) => !isDecodable(URL.parse(env[name] ?? '')))
  if (undecodable !== undefined) {
    throw unsafe(
      `The user name or password in ${undecodable} holds a % that begins no escape.`,
      `Write a % in ${undecodable} as %25, an @ as %40, a : as %3A.`,
    )
  }
  if (proxy !== undefined) {
    throw unsafe(`${proxy} does not hold the http(s) URL of a proxy.`, `Write ${proxy} as http://host:port, or remove it.`)
  }
}

function isDecodable(url: URL | null): boolean {
  try {
    decodeURIComponent(`${url?.username ?? ''}:${url?.password ?? ''}`)
    return true
  } catch {
    return false
  }
}

function unsafe(message: string, hint: string): BackupError {
  return new BackupError({ code: 'input-invalid', title: 'The environment of this step is not safe', message, hint })
}
