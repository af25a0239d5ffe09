module.exports = class {
  onEnd() {
    process.exit(0);
  }
};
