<?php
// The runner: one request in, one reply out. It is a constant; data comes as base64 JSON in its last
// line and nowhere else. Handlers read and write rows; what is to be written is decided by the caller.

class Fabrik_Refusal extends Exception {
	public $why, $more;
	public function __construct( $why, $message, $more = array() ) {
		parent::__construct( $message );
		$this->why  = $why;
		$this->more = $more;
	}
}

class Fabrik {
	public static $request  = array();
	public static $handlers = array();
	public static $results  = array();
	public static $commit   = array();
	public static $undo     = array();
	public static $at       = null;
	public static $state    = 'begun';
	public static $replied  = false;
	public static $journal  = array();

	public static function refuse( $why, $message, $more = array() ) {
		throw new Fabrik_Refusal( $why, $message, $more );
	}

	/** Turns a WP_Error into a refusal. */
	public static function checked( $value, $why = 'refused' ) {
		if ( is_wp_error( $value ) ) {
			self::refuse( $why, $value->get_error_code() . ': ' . wp_strip_all_tags( $value->get_error_message() ) );
		}
		return $value;
	}

	/** What is as it was sent; otherwise something (a filter, a limit) changed it, and the call fails. */
	public static function same( $field, $sent, $found ) {
		if ( $sent !== $found ) {
			self::refuse( 'altered', $field, array( 'field' => $field ) );
		}
	}

	public static function hash( $raw ) {
		unset( $raw['hash'], $raw['url'], $raw['path'], $raw['modified'], $raw['modified_here'], $raw['mark'] );
		return md5( wp_json_encode( $raw, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PARTIAL_OUTPUT_ON_ERROR ) );
	}

	/** Refuses what needs a plugin that is not active. */
	public static function needs( $op ) {
		$folder = $op['needs'] ?? null;
		if ( ! $folder ) {
			return;
		}
		foreach ( (array) get_option( 'active_plugins', array() ) as $file ) {
			if ( strtok( $file, '/' ) === $folder ) {
				return;
			}
		}
		if ( ! is_multisite() || ! array_filter( array_keys( (array) get_site_option( 'active_sitewide_plugins', array() ) ), function ( $file ) use ( $folder ) {
			return strtok( $file, '/' ) === $folder;
		} ) ) {
			self::refuse( 'no_plugin', $folder, array( 'field' => 'plugin' ) );
		}
	}

	/** Refuses to write over what is no longer as it was read. */
	public static function expect( $op, $raw ) {
		if ( isset( $op['expect'] ) && ( null === $raw || $op['expect'] !== $raw['hash'] ) ) {
			self::refuse( 'changed', 'it was changed meanwhile' );
		}
	}

	/** A name as WordPress stores it: what looks like HTML or an escape would be taken out. */
	public static function name( $text ) {
		return str_replace( '%', '&#037;', htmlspecialchars( $text, ENT_NOQUOTES | ENT_HTML5, 'UTF-8' ) );
	}

	/** The way back. */
	public static function plain( $stored ) {
		return html_entity_decode( $stored, ENT_QUOTES | ENT_HTML5, 'UTF-8' );
	}

	public static function path( $url ) {
		$path = wp_parse_url( $url, PHP_URL_PATH );
		$query = wp_parse_url( $url, PHP_URL_QUERY );
		return ( $path ? $path : '/' ) . ( $query ? '?' . $query : '' );
	}

	public static function handler( $kind, $call ) {
		self::$handlers[ $kind ] = $call;
	}

	/** Fills in what earlier operations of the call gave. */
	public static function fill( $value ) {
		if ( is_array( $value ) ) {
			return array_map( array( 'Fabrik', 'fill' ), $value );
		}
		if ( ! is_string( $value ) || false === strpos( $value, "\u{E000}" . self::$request['nonce'] ) ) {
			return $value;
		}
		return preg_replace_callback(
			"/\u{E000}" . self::$request['nonce'] . ":(\d+):([a-z_]+)\u{E001}/u",
			function ( $found ) {
				$result = self::$results[ (int) $found[1] ] ?? null;
				if ( ! isset( $result[ $found[2] ] ) || ! is_scalar( $result[ $found[2] ] ) ) {
					self::refuse( 'unresolved', $found[2] );
				}
				return (string) $result[ $found[2] ];
			},
			$value
		);
	}

	public static function reply( $reply ) {
		if ( self::$replied ) {
			return;
		}
		self::$replied = true;
		$json = wp_json_encode( $reply, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR );
		// Past every output buffer: plugins print, and rewrite what is printed.
		fwrite( STDOUT, "\n" . self::$request['marker'] . base64_encode( $json ) . "\n" );
		fflush( STDOUT );
	}

	public static function failed( $why, $message, $more = array() ) {
		self::reply( array(
			'ok'    => false,
			'error' => $more + array(
				'why'     => $why,
				'message' => substr( (string) $message, 0, 2000 ),
				'at'      => self::$at,
				'state'   => self::$state,
			),
		) );
	}

	public static function last_words() {
		if ( self::$replied ) {
			return;
		}
		$last = error_get_last();
		self::failed( 'died', $last ? $last['message'] . ' in ' . $last['file'] . ':' . $last['line'] : 'PHP ended before the work was done' );
	}

	public static function run( $data ) {
		self::$request = json_decode( base64_decode( $data ), true );
		ini_set( 'display_errors', '0' );
		register_shutdown_function( array( 'Fabrik', 'last_words' ) );
		if ( ! defined( 'FABRIK_RUNNING' ) ) {
			define( 'FABRIK_RUNNING', true );
		}
		try {
			self::user();
			if ( ! empty( self::$request['write'] ) ) {
				$reply = self::write();
			} else {
				$reply = array( 'results' => self::read() );
			}
			foreach ( array( 'facts', 'survey' ) as $extra ) {
				if ( ! empty( self::$request[ $extra ] ) ) {
					$reply[ $extra ] = call_user_func( 'fabrik_' . $extra );
				}
			}
			self::reply( array( 'ok' => true ) + $reply );
		} catch ( Fabrik_Refusal $refusal ) {
			self::failed( $refusal->why, $refusal->getMessage(), $refusal->more );
		} catch ( Throwable $error ) {
			self::failed( 'broke', get_class( $error ) . ': ' . $error->getMessage() . ' in ' . $error->getFile() . ':' . $error->getLine() );
		}
	}

	private static function user() {
		$wanted = self::$request['user'] ?? null;
		if ( $wanted ) {
			$user = get_user_by( 'login', $wanted );
			if ( ! $user ) {
				self::refuse( 'no_user', $wanted );
			}
		} else {
			$found = get_users( array( 'role' => 'administrator', 'orderby' => 'ID', 'order' => 'ASC', 'number' => 1 ) );
			$user  = $found ? $found[0] : null;
		}
		if ( $user ) {
			wp_set_current_user( $user->ID );
		}
	}

	private static function read() {
		$results = array();
		foreach ( self::$request['ops'] as $at => $op ) {
			self::$at = $at;
			$results[] = call_user_func( self::$handlers[ $op['kind'] ], $op );
		}
		self::$at = null;
		return $results;
	}

	private static function sql( $query ) {
		global $wpdb;
		$shown = $wpdb->hide_errors();
		$done  = $wpdb->query( $query );
		if ( $shown ) {
			$wpdb->show_errors();
		}
		if ( false === $done ) {
			self::refuse( 'database', $wpdb->last_error ? $wpdb->last_error : 'the database refused' );
		}
		return $done;
	}

	/**
	 * One transaction. Its first statement takes the row of the journal, so that calls come one after
	 * another, and each knows what those before it did.
	 */
	private static function write() {
		global $wpdb;
		$call = self::$request['call'];
		wp_suspend_cache_addition( false );
		self::sql( 'START TRANSACTION' );
		self::$state = 'open';
		try {
			self::sql( "INSERT IGNORE INTO {$wpdb->options} (option_name, option_value, autoload) VALUES ('fabrik_journal', '', 'no')" );
			self::sql( "UPDATE {$wpdb->options} SET autoload = 'no' WHERE option_name = 'fabrik_journal'" );
			if ( function_exists( 'wp_cache_flush_runtime' ) ) {
				wp_cache_flush_runtime();
			} else {
				wp_cache_flush();
			}
			$stored  = $wpdb->get_var( "SELECT option_value FROM {$wpdb->options} WHERE option_name = 'fabrik_journal'" );
			$journal = json_decode( (string) $stored, true );
			self::$journal = is_array( $journal ) ? $journal : array( 'calls' => array(), 'ops' => array(), 'bin' => array() );
			$journal = &self::$journal;
			if ( 'void' === ( $journal['calls'][ $call ] ?? null ) ) {
				self::refuse( 'void', 'this call was given up' );
			}
			if ( ! empty( self::$request['void'] ) ) {
				// Settles a call whose reply was lost: either it was carried out, or it never will be.
				$lost = self::$request['void'];
				$was  = $journal['calls'][ $lost ] ?? null;
				if ( null === $was ) {
					$journal['calls'][ $lost ] = 'void';
				}
				$reply = array( 'landed' => 'done' === $was );
			} else {
				$reply = array( 'results' => self::carry_out() );
				$journal['calls'][ $call ] = 'done';
			}
			$journal['calls'] = array_slice( $journal['calls'], -200, null, true );
			$journal['ops']   = array_slice( $journal['ops'], -2000, null, true );
			$journal['bin']   = array_slice( $journal['bin'] ?? array(), -30, null, true );
			if ( false === $wpdb->update( $wpdb->options, array( 'option_value' => wp_json_encode( $journal ) ), array( 'option_name' => 'fabrik_journal' ) ) ) {
				self::refuse( 'database', $wpdb->last_error );
			}
			if ( isset( self::$request['pause'] ) ) {
				// For tests: long enough to be killed in.
				usleep( 1000 * (int) self::$request['pause'] );
			}
			self::$state = 'committing';
			self::sql( 'COMMIT' );
			self::$state = 'committed';
		} catch ( Throwable $error ) {
			if ( 'committing' !== self::$state ) {
				$wpdb->query( 'ROLLBACK' );
				self::$state = 'rolled_back';
				foreach ( array_reverse( self::$undo ) as $undo ) {
					$undo();
				}
			}
			if ( wp_using_ext_object_cache() ) {
				wp_cache_flush();
			}
			throw $error;
		}
		wp_cache_delete( 'fabrik_journal', 'options' );
		foreach ( array_unique( self::$commit ) as $after ) {
			try {
				call_user_func( $after );
			} catch ( Throwable $error ) {
				$reply['warnings'][] = $error->getMessage();
			}
		}
		return $reply;
	}

	private static function carry_out() {
		global $wpdb;
		$journal = &self::$journal;
		// Compared before the first write: one of ours may change what another is about, as deleting a
		// page changes the menu that it is in.
		foreach ( self::$request['ops'] as $at => &$op ) {
			self::$at = $at;
			if ( isset( $op['expect'] ) && ! isset( $journal['ops'][ $op['op'] ] ) ) {
				self::expect( $op, call_user_func( self::$handlers[ $op['kind'] ], array( 'do' => 'read' ) + $op ) );
			}
			unset( $op['expect'] );
			if ( 'menu' === $op['kind'] && 'update' === $op['do'] && ! isset( $op['undoes'] ) ) {
				fabrik_menu_keep( $op );
			}
		}
		unset( $op );
		foreach ( self::$request['ops'] as $at => $op ) {
			self::$at = $at;
			$op      = self::fill( $op );
			$done    = $journal['ops'][ $op['op'] ] ?? null;
			if ( null !== $done ) {
				// Carried out by an earlier attempt.
				$again = array( 'do' => 'read', 'id' => $done ) + $op;
				$found = 'delete' === $op['do'] ? null : call_user_func( self::$handlers[ $op['kind'] ], $again );
				self::$results[] = $found ? $found + array( 'again' => true ) : array( 'id' => $done, 'gone' => true );
				continue;
			}
			$wpdb->last_error = '';
			if ( 'delete' !== $op['do'] ) {
				self::needs( $op );
			}
			$result = call_user_func( self::$handlers[ $op['kind'] ], $op );
			self::$results[]            = $result;
			$journal['ops'][ $op['op'] ] = (string) ( $result['id'] ?? '' );
		}
		self::$at = null;
		return self::$results;
	}
}
