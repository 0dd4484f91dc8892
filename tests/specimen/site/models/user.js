const bcrypt = require('bcrypt')
const { DataTypes } = require('sequelize')

const sequelize = require('../database.js')

const User = sequelize.define('user', {
  id: { type: DataTypes.INTEGER, autoIncrement: true, primaryKey: true },
  email: { type: DataTypes.STRING, allowNull: false },
  password: { type: DataTypes.STRING, allowNull: false }
}, {
  timestamps: false,
  hooks: {
    beforeCreate: async user => {
      const salt = await bcrypt.genSalt()
      user.password = await bcrypt.hash(user.password, salt)
    }
  }
})

User.prototype.isPasswordValid = async function (password) {
  return await bcrypt.compare(password, this.password)
}

module.exports = User
