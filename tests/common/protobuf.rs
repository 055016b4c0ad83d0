//! Protocol buffers as they lie (<https://protobuf.dev/programming-guides/encoding/>), read without knowing their messages.

/// The fields of a message, by number, in the order in which they come.
#[derive(Clone, Debug)]
pub struct Message(Vec<(u64, Field)>);

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// A whole number of variable length.
    Number(u64),
    /// Eight bytes.
    Eight([u8; 8]),
    /// Text, bytes, or a message.
    Bytes(Vec<u8>),
    /// Four bytes.
    Four([u8; 4]),
}

impl Message {
    /// Reads one.
    pub fn read(mut bytes: &[u8]) -> Message {
        let mut fields = vec![];
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let field = match key & 7 {
                0 => Field::Number(varint(&mut bytes)),
                1 => Field::Eight(take(&mut bytes, 8).try_into().expect("eight bytes")),
                2 => {
                    let length = varint(&mut bytes) as usize;
                    Field::Bytes(take(&mut bytes, length).to_vec())
                }
                5 => Field::Four(take(&mut bytes, 4).try_into().expect("four bytes")),
                kind => panic!("a field of kind {kind}"),
            };
            fields.push((key >> 3, field));
        }
        Message(fields)
    }

    /// The fields of a number.
    pub fn all(&self, number: u64) -> impl Iterator<Item = &Field> {
        self.0.iter().filter(move |(found, _)| *found == number).map(|(_, field)| field)
    }

    /// The messages of a number.
    pub fn messages(&self, number: u64) -> Vec<Message> {
        self.all(number).map(|field| Message::read(field.bytes())).collect()
    }

    /// The message of a number, which is there.
    pub fn message(&self, number: u64) -> Message {
        self.messages(number).pop().unwrap_or_else(|| panic!("no message {number}"))
    }

    /// The texts of a number.
    pub fn texts(&self, number: u64) -> Vec<String> {
        self.all(number).map(|field| String::from_utf8(field.bytes().to_vec()).expect("text")).collect()
    }

    /// The text of a number; empty where it is not there.
    pub fn text(&self, number: u64) -> String {
        self.texts(number).pop().unwrap_or_default()
    }

    /// The whole numbers of a number.
    pub fn numbers(&self, number: u64) -> Vec<u64> {
        let whole = |field: &Field| if let Field::Number(whole) = field { *whole } else { panic!("{field:?}") };
        self.all(number).map(whole).collect()
    }

    /// The whole number of a number; 0 where it is not there.
    pub fn number(&self, number: u64) -> u64 {
        self.numbers(number).pop().unwrap_or_default()
    }

    /// The float of a number.
    pub fn float(&self, number: u64) -> Option<f32> {
        self.all(number).last().map(|field| match field {
            Field::Four(bytes) => f32::from_le_bytes(*bytes),
            other => panic!("{other:?}"),
        })
    }
}

impl Field {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        if let Field::Bytes(bytes) = self { bytes } else { panic!("{self:?}") }
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let byte = take(bytes, 1)[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    number
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken
}
