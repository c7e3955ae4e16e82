// An app that is not written in Go and knows nothing of brownout: it writes to the
// Redis at REDIS_HOST and REDIS_PORT every 20 ms, over one connection that it makes
// anew when it has failed, and prints what it meets when that changes.
const net = require('net');

let socket, word, timer;

function meet(now) {
  if (now !== word) console.log(word = now);
}

function fail(how) {
  clearTimeout(timer);
  if (socket) socket.destroy();
  socket = undefined;
  meet(how);
  setTimeout(write, 20);
}

function connect() {
  const s = socket = net.connect(Number(process.env.REDIS_PORT), process.env.REDIS_HOST);
  s.setNoDelay(true);
  s.on('data', (reply) => {
    clearTimeout(timer);
    if (reply[0] === 0x2b) meet('ok'); // '+'
    else meet(reply.toString().split(' ')[0].slice(1));
    setTimeout(write, 20);
  });
  s.on('error', () => {}); // close follows
  s.on('close', () => { if (s === socket) fail('closed'); });
}

function write() {
  if (!socket) connect();
  const s = socket;
  // A dial and an answer may take 300 ms.
  timer = setTimeout(() => { if (s === socket) fail(s.connecting ? 'dial timeout' : 'silence'); }, 300);
  s.write('*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n');
}

write();
