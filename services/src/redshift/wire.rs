//! Messages of PostgreSQL's protocol: where they begin and end, and what is in the few that are looked into.

use std::io::{self, Read, Write};

/// A message after the start of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) kind: u8,
    pub(crate) body: Vec<u8>,
}

/// What a connection begins with.
#[derive(Debug)]
pub(crate) enum Start {
    /// A wish to speak TLS.
    Tls,
    /// A wish to speak otherwise in secret.
    Gss,
    /// Another connection's statement is to be cancelled: the message as it came.
    Cancel(Vec<u8>),
    /// A session with these parameters.
    Session(Vec<(String, String)>),
}

impl Message {
    /// Reads one; nothing at the end of the connection.
    pub(crate) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut kind = [0];
        if from.read(&mut kind)? == 0 {
            return Ok(None);
        }
        Ok(Some(Self { kind: kind[0], body: read_rest(from)? }))
    }

    pub(crate) fn new(kind: u8, body: impl Into<Vec<u8>>) -> Self {
        Self { kind, body: body.into() }
    }

    /// One whose body is a text.
    pub(crate) fn text(kind: u8, text: &str) -> Self {
        Self::new(kind, [text.as_bytes(), b"\0"].concat())
    }

    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        write(to, self.kind, &self.body)
    }

    /// The texts that the body consists of.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        let body = self.body.strip_suffix(b"\0").unwrap_or(&self.body);
        body.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned())
    }

    /// The values of a row.
    pub(crate) fn values(&self) -> Vec<Option<String>> {
        let mut rest = self.body.get(2..).unwrap_or_default();
        let mut values = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk() {
            // A length below 0 is a null.
            let length = usize::try_from(i32::from_be_bytes(*length)).ok();
            let (value, after) = after.split_at_checked(length.unwrap_or_default()).unwrap_or((after, &[]));
            values.push(length.map(|_| String::from_utf8_lossy(value).into_owned()));
            rest = after;
        }
        values
    }
}

pub(crate) fn write(to: &mut impl Write, kind: u8, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
    to.write_all(&[kind])?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(body)
}

/// What stands after a message's letter.
fn read_rest(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let bytes = (u32::from_be_bytes(length) as usize).saturating_sub(4);
    let mut body = Vec::new();
    from.take(bytes as u64).read_to_end(&mut body)?;
    if body.len() < bytes { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(body) }
}

impl Start {
    pub(crate) fn read(from: &mut impl Read) -> io::Result<Self> {
        let body = read_rest(from)?;
        let Some((code, rest)) = body.split_first_chunk() else { return Err(io::ErrorKind::InvalidData.into()) };
        match u32::from_be_bytes(*code) {
            80_877_103 => Ok(Self::Tls),
            80_877_104 => Ok(Self::Gss),
            80_877_102 => Ok(Self::Cancel(body)),
            _ => {
                let texts: Vec<String> = Message::new(0, rest).texts().collect();
                let pairs = texts.chunks_exact(2).filter(|pair| !pair[0].is_empty());
                Ok(Self::Session(pairs.map(|pair| (pair[0].clone(), pair[1].clone())).collect()))
            }
        }
    }

    /// Writes the beginning of a session.
    pub(crate) fn write(to: &mut impl Write, parameters: &[(String, String)]) -> io::Result<()> {
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        for text in parameters.iter().flat_map(|(name, value)| [name, value]) {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        body.push(0);
        Self::write_raw(to, &body)
    }

    /// Writes what has no letter.
    pub(crate) fn write_raw(to: &mut impl Write, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
        to.write_all(&[&length.to_be_bytes(), body].concat())
    }
}
