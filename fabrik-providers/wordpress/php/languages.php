
// Languages and translations, by Polylang: its REST routes, asked within this process.

function fabrik_pll( $method, $route, $params = array() ) {
	$request = new WP_REST_Request( $method, '/pll/v1' . $route );
	if ( 'GET' !== $method ) {
		$request->set_body_params( $params );
	}
	$response = rest_do_request( $request );
	if ( $response->is_error() ) {
		$error = $response->as_error();
		if ( 'rest_no_route' === $error->get_error_code() ) {
			Fabrik::refuse( 'no_type', 'language' );
		}
		if ( 404 === $response->get_status() ) {
			return null;
		}
		Fabrik::checked( $error );
	}
	return json_decode( wp_json_encode( $response->get_data() ), true );
}

function fabrik_language_row( $code ) {
	if ( ! function_exists( 'pll_languages_list' ) ) {
		return null;
	}
	foreach ( (array) fabrik_pll( 'GET', '/languages' ) as $language ) {
		if ( ( $language['slug'] ?? '' ) === $code ) {
			$row = array(
				'id'      => $code,
				'name'    => html_entity_decode( (string) $language['name'], ENT_QUOTES ),
				'locale'  => (string) $language['locale'],
				'default' => ! empty( $language['is_default'] ),
			);
			return $row + array( 'hash' => Fabrik::hash( $row ) );
		}
	}
	return null;
}

function fabrik_language( $op ) {
	if ( 'list' === $op['do'] ) {
		$codes = function_exists( 'pll_languages_list' ) ? pll_languages_list() : array();
		return array_values( array_filter( array_map( 'fabrik_language_row', $codes ) ) );
	}
	$before = fabrik_language_row( $op['id'] );
	if ( 'read' === $op['do'] ) {
		return $before;
	}
	if ( ! function_exists( 'pll_languages_list' ) ) {
		if ( 'delete' === $op['do'] ) {
			return null;
		}
		Fabrik::refuse( 'no_type', 'language' );
	}
	if ( 'delete' === $op['do'] ) {
		if ( $before ) {
			fabrik_pll( 'DELETE', '/languages/' . $op['id'] );
		}
		return null;
	}
	$settings = (array) fabrik_pll( 'GET', '/settings' );
	$default  = $settings['default_lang'] ?? '';
	if ( ! $before ) {
		fabrik_pll( 'POST', '/languages', array( 'locale' => $op['locale'], 'slug' => $op['id'], 'code' => $op['id'], 'name' => $op['name'], 'no_default_cat' => true ) );
	} elseif ( 'create' === $op['do'] ) {
		Fabrik::refuse( 'taken', $op['id'] );
	} else {
		fabrik_pll( 'PUT', '/languages/' . $op['id'], array( 'locale' => $op['locale'], 'name' => $op['name'] ) );
	}
	if ( ! empty( $op['default'] ) ) {
		fabrik_pll( 'POST', '/settings', array( 'default_lang' => $op['id'] ) );
	}
	$row = fabrik_language_row( $op['id'] );
	if ( ! $row ) {
		Fabrik::refuse( 'altered', 'code', array( 'field' => 'code' ) );
	}
	Fabrik::same( 'locale', $op['locale'], $row['locale'] );
	Fabrik::same( 'name', $op['name'], $row['name'] );
	return $row + array( 'before' => $before );
}
Fabrik::handler( 'language', 'fabrik_language' );

function fabrik_translation_row( $id ) {
	if ( ! function_exists( 'pll_get_post_translations' ) || ! get_post( (int) $id ) ) {
		return null;
	}
	$own   = pll_get_post_language( (int) $id );
	$pages = array();
	foreach ( (array) pll_get_post_translations( (int) $id ) as $code => $page ) {
		$pages[ $code ] = (string) $page;
	}
	if ( ! $pages && $own ) {
		$pages[ $own ] = (string) $id;
	}
	if ( ! $pages ) {
		return null;
	}
	ksort( $pages );
	$row = array( 'id' => (string) $id, 'pages' => (object) $pages );
	return $row + array( 'hash' => Fabrik::hash( $row ) );
}

function fabrik_translation( $op ) {
	if ( 'list' === $op['do'] ) {
		return array();
	}
	if ( 'read' === $op['do'] ) {
		return fabrik_translation_row( $op['id'] );
	}
	if ( ! function_exists( 'pll_save_post_translations' ) ) {
		if ( 'delete' === $op['do'] ) {
			return null;
		}
		Fabrik::refuse( 'no_type', 'language' );
	}
	$part = array();
	$was  = array();
	foreach ( (array) ( $op['former'] ?? array() ) as $page ) {
		$part[ (int) $page ] = true;
	}
	$pages = array();
	foreach ( (array) ( $op['pages'] ?? array() ) as $code => $page ) {
		if ( ! get_post( (int) $page ) ) {
			Fabrik::refuse( 'missing', 'there is no page ' . $page, array( 'field' => 'pages.' . $code ) );
		}
		if ( ! in_array( $code, pll_languages_list(), true ) ) {
			Fabrik::refuse( 'missing', 'the site has no language ' . $code, array( 'field' => 'pages.' . $code ) );
		}
		$pages[ $code ]      = (int) $page;
		$part[ (int) $page ] = true;
	}
	// Out of their groups, then into the new one.
	foreach ( array_keys( $part ) as $page ) {
		$code = get_post( $page ) ? pll_get_post_language( $page ) : false;
		if ( $code ) {
			$was[ $page ] = $code;
			pll_save_post_translations( array( $code => $page ) );
		}
		if ( ! in_array( $page, $pages, true ) && get_post( $page ) ) {
			wp_delete_object_term_relationships( $page, array( 'language', 'post_translations' ) );
		}
	}
	if ( 'delete' === $op['do'] ) {
		return null;
	}
	foreach ( $pages as $code => $page ) {
		pll_set_post_language( $page, $code );
	}
	pll_save_post_translations( $pages );
	foreach ( $pages as $page ) {
		clean_post_cache( $page );
	}
	$row = fabrik_translation_row( (string) reset( $pages ) );
	ksort( $pages );
	if ( ! $row || (array) $row['pages'] !== array_map( 'strval', $pages ) ) {
		Fabrik::refuse( 'altered', 'pages', array( 'field' => 'pages' ) );
	}
	return $row;
}
Fabrik::handler( 'translation', 'fabrik_translation' );
