// Loaded before a service that would listen to the whole network, on the port that it is told: it listens on 127.0.0.1, on a
// port that is free, and says which one stands for the port that it was told.
'use strict'
const { Server } = require('net')
const { listen } = Server.prototype
Server.prototype.listen = function (...args) {
  const options = args.find((arg) => arg !== null && typeof arg === 'object') || {}
  const told = options.port ?? args[0]
  this.once('listening', () => console.log(`port ${told} is ${this.address().port}`))
  return listen.call(this, { host: '127.0.0.1', port: 0 }, args.find((arg) => typeof arg === 'function'))
}
