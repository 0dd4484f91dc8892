const { DataTypes } = require('sequelize')

const sequelize = require('../database.js')

module.exports = sequelize.define('booking', {
  id: { type: DataTypes.INTEGER, autoIncrement: true, primaryKey: true },
  email: { type: DataTypes.STRING, allowNull: false },
  house: { type: DataTypes.INTEGER, allowNull: false },
  paid: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false }
})
