"""A Spotify-shaped server on loopback: today's Web API over a file or over invented music."""
