use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use base64ct::{Base64, Encoding as _};
use model::Secret;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{
    Credentials, Greeting, RelayOptions, Security, TimeLimits,
    reply::{HUNG_UP, Reply, ReplyFault, read_reply},
    tls,
};
use crate::{About, Address, Composed, DeliveryOutcome, Failure, Phase, redact::redacted};

/// What a relay says when the message may follow.
const GO_AHEAD: u16 = 354;

/// The keyword of relays that take bytes beyond ASCII in a text.
const EIGHT_BIT: &str = "8BITMIME";

/// The keyword of those that take addresses beyond ASCII.
const INTERNATIONAL: &str = "SMTPUTF8";

/// What it says when the next part of AUTH may follow.
const CHALLENGE: u16 = 334;

/// A byte stream, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// One conversation with the relay, ready for MAIL.
pub(super) struct Connection {
    wire: BufReader<Box<dyn Stream>>,
    offers: Reply,
    limits: TimeLimits,
    messages: u32,
    usable: bool,
}

/// Why a transaction ended without being accepted.
enum Stop {
    Refused(Phase, Reply),
    Before(Failure),
    After(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Before(failure)
    }
}

impl Connection {
    /// Connects, protects the connection, and signs in.
    pub(super) async fn open(options: &RelayOptions, tls: &TlsConnector) -> Result<Self, Failure> {
        let (stream, own) = connect(options).await?;
        let hello = options.hello.clone().unwrap_or_else(|| literal(own));
        let stream = match options.security {
            Security::Tls => protect(stream, options, tls).await?,
            Security::StartTls | Security::Plain => stream,
        };
        let mut connection = Self::greeted(stream, options, &hello).await?;
        if options.security == Security::StartTls {
            connection = connection.start_tls(options, tls, &hello).await?;
        }
        if let Some(credentials) = &options.credentials {
            connection.authenticate(credentials).await?;
        }
        Ok(connection)
    }

    /// Hands over one message.
    pub(super) async fn send(&mut self, message: &Composed) -> DeliveryOutcome {
        let recipient = message.recipient();
        self.messages += 1;
        self.usable = false;
        match self.transaction(message).await {
            Ok(reply) => {
                self.usable = true;
                let text = redacted(&reply.text(), recipient);
                DeliveryOutcome::Accepted { reply: format!("{} {text}", reply.code()) }
            }
            Err(Stop::Refused(phase, reply)) => {
                self.usable = self.reset(&reply).await;
                DeliveryOutcome::refused(phase, &reply, recipient)
            }
            Err(Stop::Before(reason)) => {
                DeliveryOutcome::FailedBeforeDot { reason: reason.without_addresses(recipient) }
            }
            Err(Stop::After(reason)) => {
                DeliveryOutcome::LostAfterDot { reason: reason.without_addresses(recipient) }
            }
        }
    }

    /// Asks whether it would take mail of ours, by all commands but DATA. It hears of nobody else's
    /// address.
    pub(super) async fn rehearse(
        &mut self,
        bounces: &Address,
        own: &Address,
    ) -> Result<Greeting, Failure> {
        let (eight_bit, international) = (self.offers_eight_bit(), self.offers_international());
        let mail = format!("MAIL FROM:<{bounces}>\r\n");
        let reply = self.ask(Phase::Mail, mail.as_bytes()).await?;
        done(Phase::Mail, reply)?;
        let recipient = format!("RCPT TO:<{own}>\r\n");
        let reply = self.ask(Phase::Recipient, recipient.as_bytes()).await?;
        let own_address = if reply.is_done() { None } else { Some(of_own(&reply, own)?) };
        self.ask(Phase::Closing, b"RSET\r\n").await?;
        Ok(Greeting { eight_bit, international, own_address })
    }

    /// Whether it takes addresses beyond ASCII.
    pub(super) fn offers_international(&self) -> bool {
        self.offers.offer(INTERNATIONAL).is_some()
    }

    fn offers_eight_bit(&self) -> bool {
        self.offers.offer(EIGHT_BIT).is_some()
    }

    /// Whether another message may go over it.
    pub(super) const fn is_usable(&self) -> bool {
        self.usable
    }

    /// How many messages went over it.
    pub(super) const fn messages(&self) -> u32 {
        self.messages
    }

    /// Says goodbye. Whether anybody hears it does not matter.
    pub(super) async fn quit(mut self) {
        self.limits.command = self.limits.quit;
        let _ = self.ask(Phase::Closing, b"QUIT\r\n").await;
    }

    /// From the greeting up to the reply to EHLO.
    async fn greeted(
        stream: Box<dyn Stream>,
        options: &RelayOptions,
        hello: &str,
    ) -> Result<Self, Failure> {
        let mut connection = Self::over(stream, options.limits);
        let greeting = connection.hear(Phase::Greeting, options.limits.command).await?;
        done(Phase::Greeting, greeting)?;
        connection.hello(hello).await?;
        Ok(connection)
    }

    fn over(stream: Box<dyn Stream>, limits: TimeLimits) -> Self {
        let offers = Reply::none();
        Self { wire: BufReader::new(stream), offers, limits, messages: 0, usable: true }
    }

    async fn hello(&mut self, name: &str) -> Result<(), Failure> {
        let line = format!("EHLO {name}\r\n");
        let reply = self.ask(Phase::Hello, line.as_bytes()).await?;
        self.offers = done(Phase::Hello, reply)?;
        Ok(())
    }

    async fn start_tls(
        mut self,
        options: &RelayOptions,
        tls: &TlsConnector,
        hello: &str,
    ) -> Result<Self, Failure> {
        self.require(Phase::Tls, "STARTTLS")?;
        let reply = self.ask(Phase::Tls, b"STARTTLS\r\n").await?;
        done(Phase::Tls, reply)?;
        // What came in the clear behind the reply would be taken for part of the protected talk.
        self.in_step(Phase::Tls)?;
        let stream = protect(self.wire.into_inner(), options, tls).await?;
        let mut connection = Self::over(stream, options.limits);
        connection.hello(hello).await?;
        Ok(connection)
    }

    async fn authenticate(&mut self, credentials: &Credentials) -> Result<(), Failure> {
        let mechanisms = self.offers.offer("AUTH").unwrap_or_default();
        let offered =
            |wanted: &str| mechanisms.iter().any(|word| word.eq_ignore_ascii_case(wanted));
        let (plain, login) = (offered("PLAIN"), offered("LOGIN"));
        let reply = if plain {
            self.ask(Phase::Authenticate, plain_line(credentials).expose()).await?
        } else if login {
            self.log_in(credentials).await?
        } else {
            return Err(not_offered(Phase::Authenticate, "AUTH PLAIN or LOGIN"));
        };
        if reply.is_done() {
            return Ok(());
        }
        // Its words are left out: they might repeat what we sent.
        let (phase, code) = (Phase::Authenticate, reply.code());
        let reply = reply.status().map(|status| status.to_string()).unwrap_or_default();
        Err(Failure::TurnedAway { phase, code, reply })
    }

    async fn log_in(&mut self, credentials: &Credentials) -> Result<Reply, Failure> {
        let (name, password) = (credentials.username.as_bytes(), credentials.password.expose());
        let mut reply = self.ask(Phase::Authenticate, b"AUTH LOGIN\r\n").await?;
        for part in [name, password] {
            if reply.code() != CHALLENGE {
                break;
            }
            reply = self.ask(Phase::Authenticate, encoded_line("", part).expose()).await?;
        }
        Ok(reply)
    }

    async fn transaction(&mut self, message: &Composed) -> Result<Reply, Stop> {
        let mail = self.mail_line(message)?;
        self.step(Phase::Mail, mail.as_bytes()).await?;
        let recipient = format!("RCPT TO:<{}>\r\n", message.recipient());
        self.step(Phase::Recipient, recipient.as_bytes()).await?;
        self.invite().await?;
        let content = stuffed(message.bytes());
        self.say(Phase::Content, self.limits.content, &content).await?;
        self.still_there().await?;
        self.finish().await
    }

    fn mail_line(&self, message: &Composed) -> Result<String, Failure> {
        let mut line = format!("MAIL FROM:<{}>", message.envelope_from());
        if message.is_eight_bit() {
            self.require(Phase::Mail, EIGHT_BIT)?;
            line.push_str(" BODY=8BITMIME");
        }
        if message.is_international() {
            self.require(Phase::Mail, INTERNATIONAL)?;
            line.push_str(" SMTPUTF8");
        }
        line.push_str("\r\n");
        Ok(line)
    }

    async fn step(&mut self, phase: Phase, line: &[u8]) -> Result<(), Stop> {
        let reply = self.ask(phase, line).await?;
        settled(phase, reply, Reply::is_done)
    }

    async fn invite(&mut self) -> Result<(), Stop> {
        let reply = self.ask(Phase::Data, b"DATA\r\n").await?;
        settled(Phase::Data, reply, |reply| reply.code() == GO_AHEAD)
    }

    /// Looks, without waiting, whether the relay has hung up on the message or spoken too early.
    ///
    /// As long as the dot is not sent, that is a failure and not an uncertainty.
    async fn still_there(&mut self) -> Result<(), Failure> {
        let phase = Phase::Content;
        match timeout(Duration::ZERO, self.wire.fill_buf()).await {
            Ok(Ok([])) => Err(Failure::Broken { phase, reason: HUNG_UP.to_owned() }),
            Ok(Err(error)) => Err(broken(phase, &error)),
            Ok(Ok(_)) => self.in_step(phase),
            Err(_) => Ok(()),
        }
    }

    /// Sends the final dot. From its first byte on, silence says nothing.
    async fn finish(&mut self) -> Result<Reply, Stop> {
        let (phase, limit) = (Phase::EndOfData, self.limits.end_of_data);
        self.say(phase, limit, b".\r\n").await.map_err(Stop::After)?;
        let reply = self.hear(phase, limit).await.map_err(Stop::After)?;
        match reply {
            reply if reply.is_done() => Ok(reply),
            reply if reply.is_refusal() => Err(Stop::Refused(phase, reply)),
            reply => Err(Stop::After(out_of_step(phase, &reply))),
        }
    }

    /// Clears the refused transaction away: some relays answer another MAIL with 503 until then.
    async fn reset(&mut self, refusal: &Reply) -> bool {
        if refusal.code() == super::CLOSING {
            return false;
        }
        let reply = self.ask(Phase::Closing, b"RSET\r\n").await;
        reply.is_ok_and(|reply| reply.is_done())
    }

    async fn ask(&mut self, phase: Phase, line: &[u8]) -> Result<Reply, Failure> {
        let limit = self.limits.command;
        self.in_step(phase)?;
        self.say(phase, limit, line).await?;
        self.hear(phase, limit).await
    }

    async fn say(&mut self, phase: Phase, limit: Duration, bytes: &[u8]) -> Result<(), Failure> {
        let wire = self.wire.get_mut();
        let sent = async {
            wire.write_all(bytes).await?;
            wire.flush().await
        };
        within(phase, limit, sent).await
    }

    async fn hear(&mut self, phase: Phase, limit: Duration) -> Result<Reply, Failure> {
        let reply = timeout(limit, read_reply(&mut self.wire)).await;
        let reply = reply.map_err(|_| Failure::Silence { phase, limit })?;
        reply.map_err(|fault| match fault {
            ReplyFault::Io(error) => broken(phase, &error),
            ReplyFault::Garbled(reason) => Failure::Garbled { phase, reason: reason.to_owned() },
        })
    }

    /// A reply that we have not asked for yet would be taken for the answer to something else.
    fn in_step(&self, phase: Phase) -> Result<(), Failure> {
        if self.wire.buffer().is_empty() {
            return Ok(());
        }
        Err(Failure::Garbled { phase, reason: "it answers before it is asked".to_owned() })
    }

    fn require(&self, phase: Phase, what: &'static str) -> Result<(), Failure> {
        self.offers.offer(what).map(|_| ()).ok_or_else(|| not_offered(phase, what))
    }
}

/// The connection, and its end on this host.
async fn connect(options: &RelayOptions) -> Result<(Box<dyn Stream>, IpAddr), Failure> {
    let (phase, limit) = (Phase::Connect, options.limits.connect);
    let peers = within(phase, limit, lookup_host((options.host.as_str(), options.port))).await?;
    let peers: Vec<SocketAddr> = peers.collect();
    if must_be_loopback(options) && !peers.iter().all(is_loopback) {
        return Err(Failure::NotLoopback { phase });
    }
    let stream = within(phase, limit, TcpStream::connect(peers.as_slice())).await?;
    // The last bytes of a command are not held back to wait for more.
    stream.set_nodelay(true).map_err(|error| broken(phase, &error))?;
    let own = stream.local_addr().map_err(|error| broken(phase, &error))?;
    Ok((Box::new(stream), own.ip()))
}

/// What a host without a name in DNS says in EHLO (RFC 5321, 4.1.3).
fn literal(own: IpAddr) -> String {
    match own.to_canonical() {
        IpAddr::V4(own) => format!("[{own}]"),
        IpAddr::V6(own) => format!("[IPv6:{own}]"),
    }
}

/// What a relay says against mail for our own address. That it keeps no such mailbox, or wants to
/// be asked again later, keeps no other mail from going.
fn of_own(reply: &Reply, own: &Address) -> Result<Failure, Failure> {
    let outcome = DeliveryOutcome::refused(Phase::Recipient, reply, own);
    let DeliveryOutcome::Refused { code, reply, phase, about, .. } = outcome else {
        return Err(out_of_step(Phase::Recipient, reply));
    };
    let failure = Failure::TurnedAway { phase, code, reply };
    if about == About::Us { Err(failure) } else { Ok(failure) }
}

async fn within<T>(
    phase: Phase,
    limit: Duration,
    attempt: impl Future<Output = io::Result<T>>,
) -> Result<T, Failure> {
    let result = timeout(limit, attempt).await.map_err(|_| Failure::Silence { phase, limit })?;
    result.map_err(|error| broken(phase, &error))
}

fn must_be_loopback(options: &RelayOptions) -> bool {
    options.loopback_only || options.security == Security::Plain
}

fn is_loopback(peer: &SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback()
}

async fn protect(
    stream: Box<dyn Stream>,
    options: &RelayOptions,
    tls: &TlsConnector,
) -> Result<Box<dyn Stream>, Failure> {
    let (phase, limit) = (Phase::Tls, options.limits.tls);
    let name = tls::server_name(&options.host).map_err(|error| broken(phase, &error))?;
    Ok(Box::new(within(phase, limit, tls.connect(name, stream)).await?))
}

/// A line that begins with a dot gets another one, so that only the last dot stands alone.
fn stuffed(bytes: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(bytes.len() + bytes.len() / 64);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    stuffed
}

fn plain_line(credentials: &Credentials) -> Secret {
    let Credentials { username, password } = credentials;
    let parts = [b"", username.as_bytes(), password.expose()].join(&0);
    encoded_line("AUTH PLAIN ", Secret::new(parts).expose())
}

/// Wiped from memory when dropped, like what it encodes.
fn encoded_line(command: &str, part: &[u8]) -> Secret {
    let encoded = Secret::new(Base64::encode_string(part).into_bytes());
    Secret::new([command.as_bytes(), encoded.expose(), b"\r\n"].concat())
}

fn settled(phase: Phase, reply: Reply, expected: fn(&Reply) -> bool) -> Result<(), Stop> {
    match reply {
        reply if expected(&reply) => Ok(()),
        reply if reply.is_refusal() => Err(Stop::Refused(phase, reply)),
        reply => Err(Stop::Before(out_of_step(phase, &reply))),
    }
}

fn done(phase: Phase, reply: Reply) -> Result<Reply, Failure> {
    if reply.is_done() {
        return Ok(reply);
    }
    Err(Failure::TurnedAway { phase, code: reply.code(), reply: reply.text() })
}

fn out_of_step(phase: Phase, reply: &Reply) -> Failure {
    Failure::Garbled { phase, reason: format!("it answers {} {}", reply.code(), reply.text()) }
}

const fn not_offered(phase: Phase, what: &'static str) -> Failure {
    Failure::NotOffered { phase, what }
}

fn broken(phase: Phase, error: &dyn std::error::Error) -> Failure {
    Failure::Broken { phase, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    /// What a relay says, one piece to each line that it hears. Then it hangs up.
    async fn relay(stream: DuplexStream, script: &'static [&'static str]) {
        let mut stream = BufReader::new(stream);
        for said in script {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            stream.write_all(said.as_bytes()).await.unwrap();
        }
    }

    /// What becomes of a message that does not fit into the wire, so that nothing hides in it.
    async fn outcome(script: &'static [&'static str]) -> DeliveryOutcome {
        let address = "a@example.org".parse::<Address>().unwrap();
        let body = "x\r\n".repeat(100_000);
        let bytes = format!("Message-ID: <a@b>\r\n\r\n{body}").into_bytes();
        let message = Composed::new(address.clone(), address, bytes).unwrap();
        let (ours, theirs) = duplex(64);
        let theirs = tokio::spawn(relay(theirs, script));
        let outcome = Connection::over(Box::new(ours), TimeLimits::default()).send(&message).await;
        theirs.await.unwrap();
        outcome
    }

    #[tokio::test]
    async fn a_message_that_broke_off_was_never_complete() {
        let cut = outcome(&["250 a\r\n", "250 b\r\n", "354 c\r\n", ""]).await;
        let DeliveryOutcome::FailedBeforeDot { reason } = cut else { panic!("{cut:?}") };
        assert!(matches!(reason, Failure::Broken { phase: Phase::Content, .. }), "{reason}");
    }

    #[tokio::test]
    async fn an_answer_to_nothing_is_no_answer_to_the_next_question() {
        let early = outcome(&["250 a\r\n250 b\r\n"]).await;
        let DeliveryOutcome::FailedBeforeDot { reason } = early else { panic!("{early:?}") };
        assert!(matches!(reason, Failure::Garbled { phase: Phase::Recipient, .. }), "{reason}");
    }

    #[test]
    fn only_the_last_dot_stands_alone() {
        assert_eq!(stuffed(b".\r\n..\r\na.b\r\n\r\n."), b"..\r\n...\r\na.b\r\n\r\n..");
    }
}
