;; scan.ts once more, for lines without oddities: the same grammar (RFC 8259), but sixteen bytes of a string at a time.
;;
;; The line lies at address 64, and a zero is put behind it, which no rule of the grammar takes: so nothing here asks where the line ends, and only
;; `scan` looks whether the last rule ended there. Places are addresses; 0 stands for what is not JSON, or not for this scanner.
(module
  (memory (export "memory") 17 17)

  ;; Whether an escape was met.
  (global $escaped (mut i32) (i32.const 0))

  (func $byte (param $at i32) (result i32)
    (i32.load8_u (local.get $at)))

  ;; Gives 1 where the line is a document, and its `_id` and `_type` hold no escape, and no key beside them does; then writes where the two texts
  ;; begin and end to addresses 0, 4, 8 and 12. Gives 0 for everything else: this is not the one to say why.
  (func (export "scan") (param $length i32) (result i32)
    (local $at i32) (local $key i32) (local $value i32) (local $end i32) (local $idEnd i32) (local $typeEnd i32)
    (local.set $end (i32.add (i32.const 64) (local.get $length)))
    (i32.store8 (local.get $end) (i32.const 0))
    (local.set $at (call $skipSpace (i32.const 64)))
    (if (i32.ne (call $byte (local.get $at)) (i32.const 0x7b)) (then (return (i32.const 0))))
    (loop $members
      (local.set $key (call $skipSpace (i32.add (local.get $at) (i32.const 1))))
      (global.set $escaped (i32.const 0))
      (local.set $value (call $valueOfMember (local.get $key)))
      (if (i32.or (i32.eqz (local.get $value)) (global.get $escaped)) (then (return (i32.const 0))))
      (local.set $at (call $endOfValue (local.get $value) (i32.const 1)))
      (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
      ;; Of a key that comes twice the last counts.
      (if (i32.eq (i32.load offset=1 align=1 (local.get $key)) (i32.const 0x2264695f)) ;; _id"
        (then
          (local.set $idEnd (call $endOfText (local.get $value) (local.get $at)))
          (if (i32.eqz (local.get $idEnd)) (then (return (i32.const 0))))
          (i32.store (i32.const 0) (i32.add (local.get $value) (i32.const 1)))
          (i32.store (i32.const 4) (local.get $idEnd))))
      (if (i64.eq (i64.and (i64.load offset=1 align=1 (local.get $key)) (i64.const 0xffffffffffff)) (i64.const 0x22657079745f)) ;; _type"
        (then
          (local.set $typeEnd (call $endOfText (local.get $value) (local.get $at)))
          (if (i32.eqz (local.get $typeEnd)) (then (return (i32.const 0))))
          (i32.store (i32.const 8) (i32.add (local.get $value) (i32.const 1)))
          (i32.store (i32.const 12) (local.get $typeEnd))))
      (local.set $at (call $skipSpace (local.get $at)))
      (br_if $members (i32.eq (call $byte (local.get $at)) (i32.const 0x2c))))
    (if (i32.ne (call $byte (local.get $at)) (i32.const 0x7d)) (then (return (i32.const 0))))
    (i32.and
      (i32.eq (call $skipSpace (i32.add (local.get $at) (i32.const 1))) (local.get $end))
      (i32.and (i32.ne (local.get $idEnd) (i32.const 0)) (i32.ne (local.get $typeEnd) (i32.const 0)))))

  ;; Where the text of the value ends that lies in a place; 0 if it is no string, or empty, or holds an escape.
  (func $endOfText (param $start i32) (param $end i32) (result i32)
    (select
      (i32.sub (local.get $end) (i32.const 1))
      (i32.const 0)
      (i32.and
        (i32.and
          (i32.eq (call $byte (local.get $start)) (i32.const 0x22))
          (i32.gt_u (i32.sub (local.get $end) (local.get $start)) (i32.const 2)))
        (i32.eqz (global.get $escaped)))))

  ;; The next place that is no white space. Sanity sends none: the common case must be cheap.
  (func $skipSpace (param $at i32) (result i32)
    (if (result i32) (i32.gt_u (call $byte (local.get $at)) (i32.const 0x20))
      (then (local.get $at))
      (else (call $endOfSpace (local.get $at)))))

  (func $endOfSpace (param $at i32) (result i32)
    (local $byte i32)
    (loop $spaces
      (local.set $byte (call $byte (local.get $at)))
      (if
        (i32.or
          (i32.or (i32.eq (local.get $byte) (i32.const 0x20)) (i32.eq (local.get $byte) (i32.const 0x09)))
          (i32.or (i32.eq (local.get $byte) (i32.const 0x0a)) (i32.eq (local.get $byte) (i32.const 0x0d))))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $spaces))))
    (local.get $at))

  ;; Where the value begins of the member of an object that begins at `start`.
  (func $valueOfMember (param $at i32) (result i32)
    (if (i32.ne (call $byte (local.get $at)) (i32.const 0x22)) (then (return (i32.const 0))))
    (local.set $at (call $endOfString (local.get $at)))
    (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
    (local.set $at (call $skipSpace (local.get $at)))
    (if (i32.ne (call $byte (local.get $at)) (i32.const 0x3a)) (then (return (i32.const 0))))
    (call $skipSpace (i32.add (local.get $at) (i32.const 1))))

  ;; `depth` is that of the container around the value. Deeper than 512 is not for this one.
  (func $endOfValue (param $start i32) (param $depth i32) (result i32)
    (local $byte i32)
    (local.set $byte (call $byte (local.get $start)))
    (if (i32.eq (local.get $byte) (i32.const 0x22)) (then (return (call $endOfString (local.get $start)))))
    ;; { and [ differ in this one bit.
    (if (i32.ne (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x7b)) (then (return (call $endOfScalar (local.get $start)))))
    (if (i32.ge_u (local.get $depth) (i32.const 512)) (then (return (i32.const 0))))
    (if (result i32) (i32.eq (local.get $byte) (i32.const 0x7b))
      (then (call $endOfObject (local.get $start) (i32.add (local.get $depth) (i32.const 1))))
      (else (call $endOfArray (local.get $start) (i32.add (local.get $depth) (i32.const 1))))))

  (func $endOfObject (param $at i32) (param $depth i32) (result i32)
    (local $byte i32)
    (local.set $at (call $skipSpace (i32.add (local.get $at) (i32.const 1))))
    (if (i32.eq (call $byte (local.get $at)) (i32.const 0x7d)) (then (return (i32.add (local.get $at) (i32.const 1)))))
    (loop $members
      (local.set $at (call $valueOfMember (local.get $at)))
      (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
      (local.set $at (call $endOfValue (local.get $at) (local.get $depth)))
      (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
      (local.set $at (call $skipSpace (local.get $at)))
      (local.set $byte (call $byte (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (if (i32.eq (local.get $byte) (i32.const 0x2c))
        (then
          (local.set $at (call $skipSpace (local.get $at)))
          (br $members))))
    (select (local.get $at) (i32.const 0) (i32.eq (local.get $byte) (i32.const 0x7d))))

  (func $endOfArray (param $at i32) (param $depth i32) (result i32)
    (local $byte i32)
    (local.set $at (call $skipSpace (i32.add (local.get $at) (i32.const 1))))
    (if (i32.eq (call $byte (local.get $at)) (i32.const 0x5d)) (then (return (i32.add (local.get $at) (i32.const 1)))))
    (loop $elements
      (local.set $at (call $endOfValue (local.get $at) (local.get $depth)))
      (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
      (local.set $at (call $skipSpace (local.get $at)))
      (local.set $byte (call $byte (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (if (i32.eq (local.get $byte) (i32.const 0x2c))
        (then
          (local.set $at (call $skipSpace (local.get $at)))
          (br $elements))))
    (select (local.get $at) (i32.const 0) (i32.eq (local.get $byte) (i32.const 0x5d))))

  ;; Where the string ends whose quote is at `start`. Its bytes beyond ASCII are known to be valid UTF-8.
  (func $endOfString (param $at i32) (result i32)
    (local $bytes v128) (local $found i32) (local $byte i32)
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (loop $next
      (local.set $bytes (v128.load align=1 (local.get $at)))
      ;; A quote, a backslash, a control character.
      (local.set $found (i8x16.bitmask (v128.or
        (v128.or
          (i8x16.eq (local.get $bytes) (v128.const i8x16 0x22 0x22 0x22 0x22 0x22 0x22 0x22 0x22 0x22 0x22 0x22 0x22 0x22 0x22 0x22 0x22))
          (i8x16.eq (local.get $bytes) (v128.const i8x16 0x5c 0x5c 0x5c 0x5c 0x5c 0x5c 0x5c 0x5c 0x5c 0x5c 0x5c 0x5c 0x5c 0x5c 0x5c 0x5c)))
        (i8x16.lt_u (local.get $bytes) (v128.const i8x16 0x20 0x20 0x20 0x20 0x20 0x20 0x20 0x20 0x20 0x20 0x20 0x20 0x20 0x20 0x20 0x20)))))
      (if (i32.eqz (local.get $found))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br $next)))
      (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $found))))
      (local.set $byte (call $byte (local.get $at)))
      (if (i32.eq (local.get $byte) (i32.const 0x22)) (then (return (i32.add (local.get $at) (i32.const 1)))))
      (if (i32.ne (local.get $byte) (i32.const 0x5c)) (then (return (i32.const 0))))
      (global.set $escaped (i32.const 1))
      (local.set $at (call $endOfEscape (i32.add (local.get $at) (i32.const 1))))
      (br_if $next (local.get $at)))
    (i32.const 0))

  ;; Where the escape ends whose letter is at `start`.
  (func $endOfEscape (param $at i32) (result i32)
    (local $letter i32)
    (local.set $letter (call $byte (local.get $at)))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (if (i32.eq (local.get $letter) (i32.const 0x75)) ;; u
      (then (return (select
        (i32.add (local.get $at) (i32.const 4))
        (i32.const 0)
        (i32.and
          (i32.and (call $isHexDigit (call $byte (local.get $at))) (call $isHexDigit (i32.load8_u offset=1 (local.get $at))))
          (i32.and (call $isHexDigit (i32.load8_u offset=2 (local.get $at))) (call $isHexDigit (i32.load8_u offset=3 (local.get $at)))))))))
    (select
      (local.get $at)
      (i32.const 0)
      (i32.or
        (i32.or
          (i32.or (i32.eq (local.get $letter) (i32.const 0x6e)) (i32.eq (local.get $letter) (i32.const 0x22))) ;; n "
          (i32.or (i32.eq (local.get $letter) (i32.const 0x5c)) (i32.eq (local.get $letter) (i32.const 0x2f)))) ;; \ /
        (i32.or
          (i32.or (i32.eq (local.get $letter) (i32.const 0x62)) (i32.eq (local.get $letter) (i32.const 0x66))) ;; b f
          (i32.or (i32.eq (local.get $letter) (i32.const 0x72)) (i32.eq (local.get $letter) (i32.const 0x74))))))) ;; r t

  (func $isHexDigit (param $byte i32) (result i32)
    (i32.or
      (call $isDigit (local.get $byte))
      (i32.lt_u (i32.sub (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x61)) (i32.const 6))))

  (func $isDigit (param $byte i32) (result i32)
    (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10)))

  ;; Where a number ends, or one of the three words.
  (func $endOfScalar (param $start i32) (result i32)
    (local $word i32)
    (local.set $word (i32.load align=1 (local.get $start)))
    (if (i32.eq (local.get $word) (i32.const 0x65757274)) (then (return (i32.add (local.get $start) (i32.const 4))))) ;; true
    (if (i32.eq (local.get $word) (i32.const 0x6c6c756e)) (then (return (i32.add (local.get $start) (i32.const 4))))) ;; null
    (if (i32.eq (local.get $word) (i32.const 0x736c6166)) ;; fals
      (then (return (select
        (i32.add (local.get $start) (i32.const 5))
        (i32.const 0)
        (i32.eq (i32.load8_u offset=4 (local.get $start)) (i32.const 0x65)))))) ;; e
    (call $endOfNumber (local.get $start)))

  (func $endOfNumber (param $at i32) (result i32)
    (local $byte i32)
    (local.set $at (i32.add (local.get $at) (i32.eq (call $byte (local.get $at)) (i32.const 0x2d)))) ;; -
    ;; No digit follows a zero at the start.
    (local.set $at
      (if (result i32) (i32.eq (call $byte (local.get $at)) (i32.const 0x30))
        (then (i32.add (local.get $at) (i32.const 1)))
        (else (call $endOfDigits (local.get $at)))))
    (if (i32.and (i32.ne (local.get $at) (i32.const 0)) (i32.eq (call $byte (local.get $at)) (i32.const 0x2e)))
      (then (local.set $at (call $endOfDigits (i32.add (local.get $at) (i32.const 1))))))
    (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
    (if (i32.ne (i32.or (call $byte (local.get $at)) (i32.const 0x20)) (i32.const 0x65)) (then (return (local.get $at)))) ;; e E
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $byte (call $byte (local.get $at)))
    (call $endOfDigits (i32.add
      (local.get $at)
      (i32.or (i32.eq (local.get $byte) (i32.const 0x2b)) (i32.eq (local.get $byte) (i32.const 0x2d))))))

  ;; Where one or more digits end.
  (func $endOfDigits (param $start i32) (result i32)
    (local $at i32)
    (local.set $at (local.get $start))
    (loop $digits
      (if (call $isDigit (call $byte (local.get $at)))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $digits))))
    (select (local.get $at) (i32.const 0) (i32.ne (local.get $at) (local.get $start)))))
