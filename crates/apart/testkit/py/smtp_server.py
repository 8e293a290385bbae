"""A scripted SMTP server (aiosmtpd) whose record is the judge of what arrived.

    smtp_server.py FOLDER [--port PORT] [--script FILE] [--starttls | --tls] [--name NAME]
                   [--login USER:PASSWORD] [--only-login] [--ascii] [--self-signed | --expired]

Writes `ca.pem` into FOLDER, prints its port, and serves until its standard input ends. Each
message that it takes becomes `NNNNNN.json` and then `NNNNNN.eml` there; `session.log` has one line
for each command. Started again in the same folder, it goes on numbering, with the same certificate.

How it behaves is told by FILE, read anew for each RCPT: a JSON object of behaviours by recipient,
in lower case, with `*` for everybody else. Without a word there it is the first label of the
recipient's domain, if that is one of these:

    accept          takes the message (also any other label)
    grey            451 to the first RCPT of an address, then takes it
    busy            450 to RCPT, however often one asks
    refused         550 to RCPT
    uninvited       550 to DATA
    unwanted        550 to the final dot
    later           451 to the final dot
    closing         421 to RCPT, and hangs up
    drop-before     hangs up instead of inviting the message
    drop-within     hangs up in the middle of the message
    drop-unsaved    hangs up after the final dot, without having kept the message
    drop-saved      hangs up after the final dot, having kept it
    silent          never answers RCPT
    silent-dot      keeps the message, and never answers the final dot
    slow            keeps the message, and answers the final dot after a second
    babble          answers the final dot with something that is not SMTP
    painted         550 to RCPT with characters that would repaint a terminal
    COMMAND REPLY   this reply to RCPT, DATA or DOT: `RCPT 554 5.7.1 Relay access denied`

The script may also hold replies to EHLO and to MAIL, by these words.
"""

import argparse
import asyncio
import datetime
import ipaddress
import json
import logging
import os
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Record:
    """What arrived, in files."""

    def __init__(self, folder):
        self.folder = folder
        kept = [path.stem for path in folder.glob("*.json") if path.stem.isdecimal()]
        self.taken = max(map(int, kept), default=0)

    def take(self, session, envelope):
        """Keeps a message; its name. Nobody sees it by halves, since the `.eml` comes last."""
        self.taken += 1
        name = f"{self.taken:06}"
        about = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "mail_options": envelope.mail_options,
            "tls": session.ssl is not None,
            "login": getattr(session, "auth_data", None) is not None,
        }
        (self.folder / f"{name}.json").write_text(json.dumps(about))
        unfinished = self.folder / f"{name}.part"
        unfinished.write_bytes(envelope.content)
        unfinished.rename(self.folder / f"{name}.eml")
        return name

    def log(self, session, words):
        with open(self.folder / "session.log", "a") as log:
            log.write(f"{session.peer[1]} {words}\n")


class Handler:
    def __init__(self, record, script):
        self.record = record
        self.script = script
        self.greeted = set()

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        answer = self.scripted().get("EHLO")
        return [answer.replace("{host}", hostname)] if answer else responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.record.log(session, "MAIL")
        if answer := self.scripted().get("MAIL"):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 go on"

    async def handle_RSET(self, server, session, envelope):
        self.record.log(session, "RSET")
        return "250 forgotten"

    async def handle_QUIT(self, server, session, envelope):
        self.record.log(session, "QUIT")
        return "221 goodbye"

    async def handle_RCPT(self, server, session, envelope, address, options):
        kind = self.behaviour(address)
        self.record.log(session, f"RCPT {kind}")
        answer = await self.answer_to_rcpt(server, address, kind)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.kind = kind
        return answer

    def scripted(self):
        if self.script and self.script.exists():
            return json.loads(self.script.read_text())
        return {}

    def behaviour(self, address):
        script = self.scripted()
        label = address.rsplit("@", 1)[-1].split(".")[0]
        return script.get(address.lower()) or script.get("*") or label

    async def answer_to_rcpt(self, server, address, kind):
        if kind.startswith("RCPT "):
            return kind.removeprefix("RCPT ")
        match kind:
            case "grey" if address not in self.greeted:
                self.greeted.add(address)
                return "451 4.7.1 greylisted, come back"
            case "busy":
                return "450 4.2.1 not now, come back"
            case "refused":
                return "550 5.1.1 no such person"
            case "painted":
                return "550 5.1.1 \x1b[2J\x07 nobody"
            case "closing":
                asyncio.get_running_loop().call_later(0.2, server.transport.close)
                return "421 4.3.2 closing"
            case "silent":
                await asyncio.sleep(3600)
        return "250 known"

    async def handle_DATA(self, server, session, envelope):
        kind = envelope.kind
        self.record.log(session, f"DATA {kind}")
        if kind.startswith("DOT "):
            return kind.removeprefix("DOT ")
        match kind:
            case "unwanted":
                return "550 5.7.1 not wanted"
            case "later":
                return "451 4.3.0 not now"
            case "drop-unsaved":
                server.transport.abort()
                return "250 nobody hears this"
        name = self.record.take(session, envelope)
        match kind:
            case "drop-saved":
                server.transport.abort()
            case "silent-dot":
                await asyncio.sleep(3600)
            case "slow":
                await asyncio.sleep(1)
            case "babble":
                return "kept, or maybe not"
        return f"250 2.0.0 kept as {name}"


class Server(SMTP):
    """Answers DATA before the final dot in ways that no handler of aiosmtpd can."""

    async def smtp_DATA(self, arg):
        match getattr(self.envelope, "kind", None):
            case str(kind) if kind.startswith("DATA "):
                await self.push(kind.removeprefix("DATA "))
            case "uninvited":
                await self.push("550 5.7.1 keep it")
            case "drop-before":
                self.transport.abort()
            case "drop-within":
                await self.push("354 go ahead")
                await self._reader.readline()
                self.transport.abort()
            case _:
                await super().smtp_DATA(arg)


def certificate(subject, key, issuer, issuer_key, extensions, age=datetime.timedelta(0)):
    now = datetime.datetime.now(datetime.timezone.utc) - age
    builder = x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(hours=1),
        not_valid_after=now + datetime.timedelta(days=2),
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def tls_context(folder, arguments):
    """A server's side of TLS. Its certificate is signed by an authority made for this folder, or
    is one itself."""
    if not (folder / "server.pem").exists():
        if arguments.self_signed or arguments.expired:
            make_self_signed(folder, arguments.name, arguments.expired)
        else:
            make_certificates(folder, arguments.name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def make_certificates(folder, name):
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority, subject = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
        for text in ("test authority", name)
    )
    ca = [(x509.BasicConstraints(ca=True, path_length=None), True)]
    root = certificate(authority, authority_key, authority, authority_key, ca)
    leaf_extensions = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectAlternativeName([alternative_name(name)]), False),
    ]
    leaf = certificate(subject, key, authority, authority_key, leaf_extensions)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.public_bytes(pem))
    secret = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(leaf.public_bytes(pem) + secret)


def make_self_signed(folder, name, is_expired):
    """As `openssl req -x509` does it: one certificate of an authority for everything."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    extensions = [
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.SubjectAlternativeName([alternative_name(name)]), False),
    ]
    age = datetime.timedelta(days=9 if is_expired else 0)
    made = certificate(subject, key, subject, key, extensions, age)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(made.public_bytes(pem))
    secret = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(made.public_bytes(pem) + secret)


def alternative_name(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def authenticator(login):
    expected = login.split(":", 1)

    def check(server, session, envelope, mechanism, data):
        given = [data.login.decode(), data.password.decode()]
        if given == expected:
            return AuthResult(success=True, auth_data=given[0])
        # What a careless relay would say.
        message = f"535 5.7.8 {given[0]} may not sign in with {given[1]}"
        return AuthResult(success=False, handled=False, message=message)

    return check


def options_of_server(arguments, context):
    options = {"hostname": "mail.test", "enable_SMTPUTF8": not arguments.ascii}
    if arguments.starttls:
        options |= {"tls_context": context, "require_starttls": True}
    if arguments.login:
        options |= {
            "authenticator": authenticator(arguments.login),
            "auth_required": True,
            # With TLS from the first byte aiosmtpd does not see that there is TLS.
            "auth_require_tls": arguments.starttls,
            "auth_exclude_mechanism": ["PLAIN"] if arguments.only_login else [],
        }
    return options


async def serve(arguments):
    folder = Path(arguments.folder)
    handler = Handler(Record(folder), arguments.script)
    context = tls_context(folder, arguments)
    options = options_of_server(arguments, context)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(handler, **options),
        host="127.0.0.1",
        port=arguments.port,
        ssl=context if arguments.tls else None,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=0, help="any free one if not given")
    parser.add_argument("--script", type=Path, help="behaviours by recipient, as JSON")
    parser.add_argument("--starttls", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--name", default="localhost", help="what the certificate is for")
    parser.add_argument("--login", help="USER:PASSWORD that is asked for")
    parser.add_argument("--only-login", action="store_true", help="no AUTH PLAIN")
    parser.add_argument("--ascii", action="store_true", help="no SMTPUTF8")
    parser.add_argument("--self-signed", action="store_true", help="its certificate is its own CA")
    parser.add_argument("--expired", action="store_true", help="the same, valid until last week")
    return parser.parse_args()


if __name__ == "__main__":
    # It warns of what its own code does.
    logging.disable(logging.WARNING)
    try:
        asyncio.run(serve(parse()))
    finally:
        # Handlers that wait for ever do not hold the process up.
        os._exit(0)
