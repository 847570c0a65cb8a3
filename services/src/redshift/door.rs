//! Where clients come in: a port, and the beginning of each connection. A thread serves each.

use std::{
    io::{self, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use socket2::SockRef;

use super::{
    Door,
    backend::Backend,
    error::Refusal,
    faults::Fault,
    session::{Session, until_it_leaves},
    tls::Stream,
    wire::{Message, Start},
};

/// What Redshift says that it is.
const VERSION: &str = "8.0.2";

/// Takes connections until the door is closed.
pub(super) fn open(listener: TcpListener, door: Arc<Door>) {
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if door.is_closed.load(Ordering::SeqCst) {
                return;
            }
            let door = Arc::clone(&door);
            // However a connection ends, the client sees it.
            thread::spawn(move || drop(receive(client, &door)));
        }
    });
}

fn receive(client: TcpStream, door: &Door) -> io::Result<()> {
    // A small message is not to wait until the other side has acknowledged one before.
    client.set_nodelay(true)?;
    let mut client = BufReader::new(Stream::Plain(client));
    let parameters = loop {
        match Start::read(&mut client)? {
            Start::Tls => {
                client.get_mut().write_all(b"S")?;
                client = BufReader::new(client.into_inner().secured()?);
            }
            Start::Gss => client.get_mut().write_all(b"N")?,
            Start::Cancel(message) => {
                let mut server = TcpStream::connect(("127.0.0.1", door.warehouse.postgres))?;
                return Start::write_raw(&mut server, &message);
            }
            Start::Session(parameters) => break parameters,
        }
    };
    let fault = door.faults.strike("connect");
    match fault {
        Some(Fault::ResetBefore) => return SockRef::from(client.get_ref().tcp()).set_linger(Some(Duration::ZERO)),
        Some(Fault::Stalled) => return until_it_leaves(&mut client),
        _ => {}
    }
    if let Some(refusal) = refused(&parameters) {
        refusal.message().write(client.get_mut())?;
        return client.get_mut().flush();
    }
    let mut backend = Backend::dial(door.warehouse.postgres)?;
    backend.start(&passed(parameters, &door.warehouse.database))?;
    if !begin(&mut client, &mut backend)? {
        return Ok(());
    }
    match fault {
        None => Session::new(&door.warehouse, &door.faults, client, backend).serve(),
        Some(_) => SockRef::from(client.get_ref().tcp()).set_linger(Some(Duration::ZERO)),
    }
}

/// Passes on what is said until the session is ready; says whether it is.
fn begin(client: &mut BufReader<Stream>, backend: &mut Backend) -> io::Result<bool> {
    loop {
        let mut message = backend.read()?;
        if message.kind == b'S' && message.body.starts_with(b"server_version\0") {
            message.body = format!("server_version\0{VERSION}\0").into_bytes();
        }
        if message.kind == b'E' {
            message = Refusal::read(&message).message();
        }
        message.write(client.get_mut())?;
        client.get_mut().flush()?;
        match (message.kind, message.body.as_slice()) {
            (b'Z', _) => return Ok(true),
            (b'E', _) => return Ok(false),
            // All is well, or the proof that it is comes next.
            (b'R', [0, 0, 0, 0 | 12, ..]) => {}
            (b'R', _) => match Message::read(client)? {
                Some(answer) => backend.send(&answer)?,
                None => return Ok(false),
            },
            _ => {}
        }
    }
}

/// Redshift does not know all that a client of PostgreSQL may ask for.
fn refused(parameters: &[(String, String)]) -> Option<Refusal> {
    let value = |name: &str| parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let digits = value("extra_float_digits").and_then(|digits| digits.parse().ok()).unwrap_or(0);
    (digits > 2).then(|| {
        let text = format!("{digits} is outside the valid range for parameter \"extra_float_digits\" (-15 .. 2)");
        Refusal::fatal("22023", text)
    })
}

/// The parameters as PostgreSQL gets them: whatever database is asked for, there is one.
fn passed(mut parameters: Vec<(String, String)>, database: &str) -> Vec<(String, String)> {
    parameters.retain(|(name, _)| name != "database");
    parameters.push(("database".to_owned(), database.to_owned()));
    parameters
}
