export default () => {
  throw new Error('the stage is not ready');
};
