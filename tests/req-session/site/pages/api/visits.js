export default function visits (req, res) {
  req.session.visits = (req.session.visits || 0) + 1
  res.json({ visits: req.session.visits })
}
