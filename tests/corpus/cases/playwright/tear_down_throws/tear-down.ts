export default () => {
  throw new Error('the stage is still burning');
};
