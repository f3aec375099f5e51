/** Where the documents say that they lie. */
export type DemoOptions = { readonly project?: string; readonly dataset?: string; readonly cdn?: string }

/**
 * A realistic dataset, one document a line without line ends, always the same for the same arguments: articles in portable text with references,
 * products, pages, authors, image asset documents, drafts, versions with their release, access groups, a plugin's secret, text in many scripts.
 */
export function* demoDocuments(seed: number, count: number, options: DemoOptions = {}): Generator<Buffer> {
  const world = makeWorld(seed, count, options)
  const heads = headDocuments(world)
  for (const document of heads.slice(0, count)) yield Buffer.from(JSON.stringify(document))
  for (let index = 0; index < count - heads.length; index += 1) yield Buffer.from(bodyDocument(world, index))
}

type Random = {
  /** An integer from 0 to below `limit`. */
  below(limit: number): number
  pick<Item>(items: readonly Item[]): Item
  hex(characters: number): string
  /** 22 letters and digits, like `_rev`. */
  base62(): string
}

type World = {
  readonly seed: number
  readonly random: Random
  readonly sentences: readonly (readonly string[])[]
  readonly project: string
  readonly dataset: string
  readonly cdn: string
  /** Documents after the fixed ones, in blocks of a hundred with the same mix. */
  readonly bodyCount: number
}

/** First slot of each kind in a block of a hundred; the kinds that others refer to come first. */
const SLOTS = { category: 0, author: 2, image: 5, product: 17, page: 29, article: 34, version: 95, draft: 96 } as const

type Kind = keyof typeof SLOTS

const BLOCK = 100

const RELEASE = 'rSpring26'

/** Twelve days of a year of work. */
const DAY_MS = 86_400_000
const START_MS = Date.UTC(2024, 0, 1)

const LATIN =
  'about above across after again along always among answer anyone around atelier autumn balance become before behind better between beyond bright bring build café careful century change choose citrus city clear coast coffee colour common corner could craft curious daily delicate depth design detail discover dozen during early earth edge editor elegant enough evening every façade family festival field first flavour forest found fresh garden gentle glass golden ground growing guide handmade harbour harvest heart hidden history honest house however island journey kitchen known language later learn letter light linen listen little local longer maker market material meadow meeting memory modern morning mountain moving naïve narrow nature neighbour never notebook ocean often oldest open orchard order ordinary other outside paper patient people perfect place plain planet practice present quiet rather reader recipe region remember rhythm river road season second season secret serve several shape shelter should silver simple sketch slow small smörgåsbord something sound spring stone story street studio summer table taste thought thread through timber today together touch trade travel unfold until useful valley village visit voice walnut warm water weather welcome western whole window winter wonder workshop world writing yellow yesterday young'.split(
    ' ',
  )

const SCRIPTS: readonly (readonly string[])[] = [
  LATIN,
  'über Straße schön Frühling Grüße zwischen Werkstatt möglich weiß draußen für Gärten später Öffnung natürlich Träume heißt Größe Küche erzählt immer wieder ruhig'.split(
    ' ',
  ),
  'été forêt où déjà château naïveté cœur façon élève île âme août garçon hôtel être crème brûlée toujours lumière atelier rêve'.split(' '),
  'Ελλάδα θάλασσα ουρανός βιβλίο καλημέρα δρόμος φως σπίτι χρόνος κήπος άνθρωπος ιστορία'.split(' '),
  'привет город книга зима дорога солнце тихо история вечер река голос работа жизнь свет окно'.split(' '),
  '東京 春 静かな 庭 工房 物語 珈琲 季節 手紙 海辺 朝 旅 言葉 料理 職人 小さな'.split(' '),
  '城市 故事 春天 安静 花园 工艺 咖啡 季节 海岸 旅行 语言 厨房 光线 山谷'.split(' '),
  '서울 이야기 봄 조용한 정원 공방 커피 계절 바다 여행 언어 아침'.split(' '),
  'مدينة كتاب ربيع هادئ حديقة قصة قهوة بحر سفر لغة صباح نور'.split(' '),
  'עיר ספר אביב שקט גן סיפור קפה ים מסע שפה בוקר אור'.split(' '),
  'शहर किताब वसंत शांत बगीचा कहानी कॉफ़ी समुद्र यात्रा भाषा सुबह प्रकाश'.split(' '),
  'เมือง หนังสือ ฤดูใบไม้ผลิ เงียบ สวน เรื่องราว กาแฟ ทะเล การเดินทาง ภาษา'.split(' '),
]

const EMOJI = ['🏔', '☕️', '👩‍🍳', '🇳🇴', '✨', '🌿', '👨‍👩‍👧‍👦', '🧵', '📚', '🫶🏽']

const FIRST = [
  'Ada',
  'Björn',
  'Chiara',
  'Đặng',
  'Élodie',
  'Fatima',
  'Grzegorz',
  'Hana',
  'Íñigo',
  'Jürgen',
  'Kenji',
  'Łucja',
  'Minh',
  'Noor',
  'Ólafur',
  'Priya',
]
const LAST = [
  'Andersen',
  'Bianchi',
  'Çelik',
  'Dvořák',
  "O'Brien",
  'Fernández',
  'García',
  'Høyer',
  'Ivanova',
  'Jónsdóttir',
  'Kowalska',
  '山田',
  'Müller',
  'Nguyễn',
]

/** 3,844 pairs and 4,096 triples: characters are then drawn two or three at a time. */
const ALPHABET = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789']
const PAIRS = ALPHABET.flatMap((a) => ALPHABET.map((b) => a + b))
const HEX_TRIPLES = Array.from({ length: 4096 }, (_, value) => value.toString(16).padStart(3, '0'))

/** Sentences are made once and drawn again and again: fast, and still far apart enough for a compressor. */
const SENTENCES_PER_SCRIPT = 3000

function makeWorld(
  seed: number,
  count: number,
  { project = 'abc12345', dataset = 'production', cdn = 'https://cdn.sanity.io' }: DemoOptions,
): World {
  const random = makeRandom(seed)
  const sentences = SCRIPTS.map((words, script) =>
    Array.from({ length: script === 0 ? SENTENCES_PER_SCRIPT * 4 : SENTENCES_PER_SCRIPT / 6 }, () => makeSentence(words, random)),
  )
  return { seed, random, sentences, project, dataset, cdn, bodyCount: Math.max(0, count - headCount) }
}

/** Not random in any serious sense, but fast and the same everywhere: mulberry32. */
function makeRandom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number) => next() % limit
  return {
    below,
    pick: (items) => items[next() % items.length] as (typeof items)[number],
    hex(characters) {
      let text = ''
      while (text.length < characters) text += HEX_TRIPLES[next() & 4095]
      return text.slice(0, characters)
    },
    base62() {
      let text = ''
      for (let pair = 0; pair < 11; pair += 1) text += PAIRS[next() % PAIRS.length]
      return text
    },
  }
}

/** Already escaped for JSON, so that a document is only glued together. */
function makeSentence(words: readonly string[], random: Random): string {
  const text = Array.from({ length: 8 + random.below(14) }, () => random.pick(words)).join(' ')
  const ends = ['.', '.', '.', '?', '!', '…', `. ${random.pick(EMOJI)}`, '."']
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}${random.pick(ends)}`
  return JSON.stringify(sentence.endsWith('"') ? `"${sentence}` : sentence).slice(1, -1)
}

/** The same id wherever a document is named: 36 characters from the Studio, 22 from the API. */
function idOf(kind: Kind, number: number, { seed }: World): string {
  const random = makeRandom(seed + Math.imul(SLOTS[kind] + 1, 0x1000193) + Math.imul(number + 1, 0x85ebca6b))
  if (number % 4 === 3) return random.base62()
  const digits = random.hex(32)
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20)}`
}

function imageOf(number: number, { seed }: World): { sha1: string; width: number; height: number; id: string } {
  const random = makeRandom(seed + Math.imul(number + 1, 0xc2b2ae35))
  const sha1 = random.hex(40)
  const width = 800 + random.below(3200)
  const height = 600 + random.below(2400)
  return { sha1, width, height, id: `image-${sha1}-${width}x${height}-jpg` }
}

const PER_BLOCK: Readonly<Record<Kind, number>> = {
  category: 2,
  author: 3,
  image: 12,
  product: 12,
  page: 5,
  article: 61,
  version: 1,
  draft: 4,
}

/** How many of a kind the dataset has, so that no reference points outside. */
function numberOf(kind: Kind, { bodyCount }: World): number {
  const rest = (bodyCount % BLOCK) - SLOTS[kind]
  return Math.floor(bodyCount / BLOCK) * PER_BLOCK[kind] + Math.min(PER_BLOCK[kind], Math.max(0, rest))
}

function bodyDocument(world: World, index: number): string {
  const block = Math.floor(index / BLOCK)
  const slot = index % BLOCK
  const number = (kind: Kind) => block * PER_BLOCK[kind] + slot - SLOTS[kind]
  if (slot < SLOTS.author) return category(world, number('category'))
  if (slot < SLOTS.image) return author(world, number('author'))
  if (slot < SLOTS.product) return imageAsset(world, number('image'))
  if (slot < SLOTS.page) return product(world, number('product'))
  if (slot < SLOTS.article) return page(world, number('page'))
  if (slot < SLOTS.version) return article(world, idOf('article', number('article'), world))
  const original = idOf('article', block * PER_BLOCK.article + slot - 60, world)
  return article(world, slot < SLOTS.draft ? `versions.${RELEASE}.${original}` : `drafts.${original}`)
}

function category(world: World, number: number): string {
  const title = sentence(world, 0).slice(0, 24)
  return `${start(world, idOf('category', number, world), 'category')},"description":"${sentence(world, 0)}","slug":${slug(`category-${number}`)},"title":"${title}"}`
}

function author(world: World, number: number): string {
  const { random } = world
  const name = JSON.stringify(`${random.pick(FIRST)} ${random.pick(LAST)}`).slice(1, -1)
  const bio = blocks(world, 3, random.below(SCRIPTS.length))
  return `${start(world, idOf('author', number, world), 'author')},"bio":${bio},"image":${imageField(world)},"name":"${name}","slug":${slug(`author-${number}`)},"social":{"github":"author${number}","website":"https://example.com/people/${number}"}}`
}

function imageAsset(world: World, number: number): string {
  const { random, project, dataset, cdn } = world
  const { sha1, width, height, id } = imageOf(number, world)
  const swatch = () => {
    const [background, foreground] = [random.hex(6), random.hex(6)]
    return `{"_type":"sanity.imagePaletteSwatch","background":"#${background}","foreground":"#fff","population":${random.below(900) / 100},"title":"#${foreground}"}`
  }
  const names = ['darkMuted', 'darkVibrant', 'dominant', 'lightMuted', 'lightVibrant', 'muted', 'vibrant']
  const palette = `{"_type":"sanity.imagePalette",${names.map((name) => `"${name}":${swatch()}`).join(',')}}`
  const lqip = `data:image/jpeg;base64,/9j/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8t${Array.from({ length: 36 }, () => random.base62()).join('')}/9k=`
  const dimensions = `{"_type":"sanity.imageDimensions","aspectRatio":${width / height},"height":${height},"width":${width}}`
  const metadata = `{"_type":"sanity.imageMetadata","blurHash":"${random.base62()}","dimensions":${dimensions},"hasAlpha":false,"isOpaque":true,"lqip":"${lqip}","palette":${palette}}`
  const path = `images/${project}/${dataset}/${sha1}-${width}x${height}.jpg`
  return `${start(world, id, 'sanity.imageAsset')},"assetId":"${sha1}","extension":"jpg","metadata":${metadata},"mimeType":"image/jpeg","originalFilename":"IMG_${number}.jpg","path":"${path}","sha1hash":"${sha1}","size":${200_000 + random.below(4_000_000)},"uploadId":"${random.base62()}","url":"${cdn}/${path}"}`
}

function product(world: World, number: number): string {
  const { random } = world
  const variants = Array.from(
    { length: 2 + random.below(6) },
    (_, variant) =>
      `{"_key":"${random.hex(12)}","_type":"variant","colour":"#${random.hex(6)}","inStock":${random.below(3) > 0},"price":${(100 + random.below(90_000)) / 100},"sku":"SKU-${number}-${variant}","weightGrams":${random.below(5000)}}`,
  ).join(',')
  return `${start(world, idOf('product', number, world), 'product')},"body":${blocks(world, 4, 0)},"category":${reference(world, 'category')},"images":[${keyed(world, imageField(world))},${keyed(world, imageField(world))}],"price":{"_type":"money","amount":${random.below(100_000) / 100},"currency":"EUR"},"slug":${slug(`product-${number}`)},"title":"${sentence(world, 0)}","variants":[${variants}]}`
}

function page(world: World, number: number): string {
  const { random } = world
  const sections = Array.from({ length: 2 + random.below(5) }, (_, section) =>
    keyed(
      world,
      section % 2 === 0
        ? `{"_type":"hero","heading":"${sentence(world, 0)}","image":${imageField(world)},"tagline":"${sentence(world, random.below(SCRIPTS.length))}"}`
        : `{"_type":"textSection","content":${blocks(world, 3, 0)}}`,
    ),
  ).join(',')
  return `${start(world, idOf('page', number, world), 'page')},"sections":[${sections}],"seo":{"_type":"seo","description":"${sentence(world, 0)}","noIndex":false},"slug":${slug(`page-${number}`)},"title":"${sentence(world, 0)}"}`
}

function article(world: World, id: string): string {
  const { random } = world
  const script = random.below(10) < 7 ? 0 : random.below(SCRIPTS.length)
  const tags = Array.from({ length: 1 + random.below(4) }, () => `"${random.pick(LATIN)}"`).join(',')
  const related =
    random.below(3) === 0 ? `,"related":[${keyed(world, reference(world, 'article'))},${keyed(world, reference(world, 'product'))}]` : ''
  return `${start(world, id, 'article')},"author":${reference(world, 'author')},"body":${blocks(world, 3 + random.below(9), script)},"categories":[${keyed(world, reference(world, 'category'))}],"excerpt":"${sentence(world, script)}","featured":${random.below(20) === 0},"language":"${script === 0 ? 'en' : `x${script}`}","mainImage":${imageField(world)},"publishedAt":"${time(random)}","readingMinutes":${1 + random.below(14)}${related},"slug":${slug(id.replace(/^.*\./, '').slice(0, 8))},"tags":[${tags}],"title":"${sentence(world, script)}"}`
}

/** The keys that come first in the alphabet, in the order in which Sanity sends them. */
function start({ random }: World, id: string, type: string): string {
  return `{"_createdAt":"${time(random)}","_id":"${id}","_rev":"${random.base62()}","_type":"${type}","_updatedAt":"${time(random)}"`
}

const TIMES = Array.from({ length: 1000 }, (_, day) => new Date(START_MS + day * DAY_MS).toISOString().slice(0, 11))
const two = (value: number): string => (value < 10 ? `0${value}` : String(value))

const time = (random: Random): string =>
  `${TIMES[random.below(1000)]}${two(random.below(24))}:${two(random.below(60))}:${two(random.below(60))}Z`

const slug = (text: string): string => `{"_type":"slug","current":"${text}"}`

const sentence = ({ sentences, random }: World, script: number): string => random.pick(sentences[script] ?? [])

/** An object of an array, with the key that Studio gives it. */
const keyed = ({ random }: World, object: string): string => `{"_key":"${random.hex(12)}",${object.slice(1)}`

function reference(world: World, kind: Kind): string {
  const number = numberOf(kind, world)
  if (number === 0) return '{"_ref":"siteSettings","_type":"reference"}'
  return `{"_ref":"${idOf(kind, world.random.below(number), world)}","_type":"reference"}`
}

function imageField(world: World): string {
  const number = numberOf('image', world)
  if (number === 0) return '{"_type":"image"}'
  const { id } = imageOf(world.random.below(number), world)
  return `{"_type":"image","alt":"${sentence(world, 0)}","asset":{"_ref":"${id}","_type":"reference"}}`
}

function blocks(world: World, count: number, script: number): string {
  const { random } = world
  return `[${Array.from({ length: count }, (_, block) => {
    const style = block === 0 ? 'h2' : 'normal'
    const link = random.hex(12)
    const linked = random.below(4) === 0
    const marks = linked ? `"${link}"` : random.below(3) === 0 ? '"strong"' : ''
    const definitions = linked ? `{"_key":"${link}","_type":"link","href":"https://example.com/${link}"}` : ''
    const span = (text: string, mark: string) => `{"_key":"${random.hex(12)}","_type":"span","marks":[${mark}],"text":"${text}"}`
    const spans = `${span(sentence(world, script), '')},${span(sentence(world, script), marks)}`
    return `{"_key":"${random.hex(12)}","_type":"block","children":[${spans}],"markDefs":[${definitions}],"style":"${style}"}`
  }).join(',')}]`
}

const headCount = 7

function headDocuments({ random, bodyCount, ...world }: World): readonly object[] {
  const stamp = (id: string, type: string) => ({
    _createdAt: time(random),
    _id: id,
    _rev: random.base62(),
    _type: type,
    _updatedAt: time(random),
  })
  const home = bodyCount > SLOTS.page ? idOf('page', 0, { random, bodyCount, ...world }) : 'siteSettings'
  return [
    {
      ...stamp('siteSettings', 'siteSettings'),
      home: { _ref: home, _type: 'reference' },
      title: 'Atelier Nord — håndverk, 物語 & ☕️',
      url: 'https://example.com',
    },
    {
      ...stamp('_.groups.administrator', 'system.group'),
      grants: [{ filter: '_id in path("**")', permissions: ['read', 'update', 'create'] }],
      members: [],
    },
    { ...stamp('_.groups.public', 'system.group'), grants: [{ filter: '_id in path("*")', permissions: ['read'] }], members: ['everyone'] },
    { ...stamp('_.groups.sanity.viewer', 'system.group'), grants: [{ filter: '_id in path("**")', permissions: ['read'] }], members: [] },
    {
      ...stamp(`_.releases.${RELEASE}`, 'system.release'),
      metadata: { description: 'Everything for spring', releaseType: 'scheduled', title: 'Spring 🌷' },
      name: RELEASE,
      state: 'active',
    },
    { ...stamp('secrets.shipping', 'pluginSecrets'), secrets: { apiKey: 'not-a-real-key-of-anybody' } },
    {
      ...stamp('navigation', 'navigation'),
      items: [{ _key: random.hex(12), label: 'Line\u2028separator, "quotes" and \\ backslashes', url: '/' }],
    },
  ]
}
