// Stored hashes as packages of npm make and check them.
//
//     node hashes.cjs FOLDER make     reads passwords in hexadecimal, and prints what they give
//     node hashes.cjs FOLDER check    reads hashes and passwords, and prints whether they fit
//
// One JSON value a line. FOLDER is where the packages are installed.

const { createHash, randomBytes } = require("node:crypto");
const { createRequire } = require("node:module");
const readline = require("node:readline");

const [folder, task] = process.argv.slice(2);
const installed = createRequire(folder + "/");
const { Bcrypt: AdonisBcrypt } = installed("@adonisjs/hash/drivers/bcrypt");
const { Scrypt: AdonisScrypt } = installed("@adonisjs/hash/drivers/scrypt");
const argon2 = installed("argon2");
const bcrypt = installed("bcrypt");
const bcryptjs = installed("bcryptjs");
const betterAuth = installed("@better-auth/utils/password");
const credential = installed("credential")({ work: 0.001 });
const md5 = installed("apache-md5");
const pbkdf2 = installed("@phc/pbkdf2");
// It exports nothing to `require` by its name.
const unixcrypt = installed("./node_modules/unixcrypt/dist/index.js");

const adonisBcrypt = new AdonisBcrypt({ rounds: 10 });
const adonisScrypt = new AdonisScrypt({ cost: 16, blockSize: 4 });
const cheap = { memoryCost: 64, timeCost: 2, parallelism: 1 };
const pepper = Buffer.from("npm's own pepper");

// What each package makes and checks. Some take nothing but text, and some have no cheap setting.
const PACKAGES = {
  argon2: {
    form: "argon2",
    make: (bytes) => argon2.hash(bytes, cheap),
    check: (text, bytes) => argon2.verify(text, bytes),
  },
  "argon2 i": {
    form: "argon2",
    make: (bytes) => argon2.hash(bytes, { ...cheap, type: argon2.argon2i }),
    check: (text, bytes) => argon2.verify(text, bytes),
  },
  "argon2 secret": {
    form: "peppered",
    forms: ["peppered: <hash> := argon2(key)"],
    key: pepper.toString(),
    make: (bytes) => argon2.hash(bytes, { ...cheap, secret: pepper }),
    check: (text, bytes) => argon2.verify(text, bytes, { secret: pepper }),
  },
  bcrypt: {
    form: "bcrypt",
    make: (bytes) => bcrypt.hash(bytes, 4),
    check: (text, bytes) => bcrypt.compare(bytes, text),
  },
  bcryptjs: {
    form: "bcrypt",
    isText: true,
    make: (text) => bcryptjs.hash(text, 4),
    check: (hash, text) => bcryptjs.compare(text, hash),
  },
  // Meteor's own lines around bcrypt: it digests on the client.
  "meteor's digest": {
    form: "meteor",
    forms: ["meteor"],
    make: (bytes) => bcrypt.hash(createHash("sha256").update(bytes).digest("hex"), 4),
    check: (text, bytes) =>
      bcrypt.compare(createHash("sha256").update(bytes).digest("hex"), text),
  },
  "adonis bcrypt": {
    form: "adonis_bcrypt",
    isDear: true,
    isText: true,
    make: (text) => adonisBcrypt.make(text),
    check: (hash, text) => adonisBcrypt.verify(hash, text),
  },
  "adonis scrypt": {
    form: "scrypt",
    isText: true,
    make: (text) => adonisScrypt.make(text),
    check: (hash, text) => adonisScrypt.verify(hash, text),
  },
  "better-auth": {
    form: "better_auth",
    forms: ["better_auth"],
    isDear: true,
    isText: true,
    make: (text) => betterAuth.hashPassword(text),
    check: (hash, text) => betterAuth.verifyPassword(hash, text),
  },
  credential: {
    form: "credential",
    isText: true,
    make: (text) => credential.hash(text),
    check: (hash, text) => credential.verify(hash, text),
  },
  // Of characters beyond ASCII it makes what no other program makes, and none accepts.
  "apache-md5": {
    form: "crypt",
    isAscii: true,
    make: (text) => md5(text),
    check: (hash, text) => md5(text, hash) === hash,
  },
  unixcrypt: {
    form: "crypt",
    isText: true,
    make: (text) => unixcrypt.encrypt(text, "$6$rounds=1000$" + randomBytes(6).toString("hex")),
    check: (hash, text) => unixcrypt.verify(text, hash),
  },
  "@phc/pbkdf2": {
    form: "pbkdf2",
    isText: true,
    make: (text) => pbkdf2.hash(text, { iterations: 10, digest: "sha256" }),
    check: (hash, text) => pbkdf2.verify(hash, text),
  },
};

const isAsked = ({ isText, isAscii }, bytes) =>
  (!isText || bytes.equals(Buffer.from(bytes.toString("utf8")))) &&
  (!isAscii || bytes.every((byte) => byte < 128));

const given = ({ isText, isAscii }, bytes) => (isText || isAscii ? bytes.toString("utf8") : bytes);

// A package that takes text alone is asked nothing that is none. One that refuses says so.
async function* made(bytes, isDearToo) {
  for (const [origin, one] of Object.entries(PACKAGES)) {
    if (!isAsked(one, bytes) || (one.isDear && !isDearToo)) continue;
    const { form, forms, key, isDear: is_dear } = one;
    try {
      const hash = await one.make(given(one, bytes));
      yield { origin, form, forms, key, is_dear, hash };
    } catch (error) {
      yield { origin, refused: String(error) };
    }
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { origin, hash, password_hex, is_dear } = JSON.parse(line);
    const bytes = Buffer.from(password_hex, "hex");
    if (task === "check") {
      const accepted = await PACKAGES[origin].check(hash, given(PACKAGES[origin], bytes));
      console.log(JSON.stringify(accepted));
      continue;
    }
    const all = [];
    for await (const one of made(bytes, is_dear)) all.push(one);
    console.log(JSON.stringify(all));
  }
}

main();
